import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** NETLINK_NETFILTER and the bit of its group NFNLGRP_NFTABLES (linux/netlink.h, linux/netfilter/nfnetlink.h). */
const NETFILTER = '12';
const NFTABLES = 1 << 6;

function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    // The process has ended, or is none of ours.
    return undefined;
  }
}

/**
 * Processes of which one in each network namespace stands for all, where somebody listens to nf_tables: `nft monitor`,
 * an agent. The kernel asks whether there are listeners anywhere (`netlink_has_listeners` knows no namespaces), and
 * then writes down each element and rule of every transaction for them: that takes it longer than all the rest.
 */
export function listeners(): readonly string[] {
  const seen = new Set<string>();
  return readdirSync('/proc').filter((pid) => {
    const namespace = /^\d+$/.test(pid) ? read(() => readlinkSync(`/proc/${pid}/ns/net`)) : undefined;
    if (namespace === undefined || seen.has(namespace)) return false;
    seen.add(namespace);
    const sockets = read(() => readFileSync(`/proc/${pid}/net/netlink`, 'utf8')) ?? '';
    return sockets.split('\n').some((line) => {
      const [, protocol, , groups = ''] = line.trim().split(/\s+/);
      return protocol === NETFILTER && (Number.parseInt(groups, 16) & NFTABLES) !== 0;
    });
  });
}
