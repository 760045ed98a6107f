/** NFPROTO_* that a ct helper, timeout or expectation is for. */
export const CT_L3_PROTOCOLS = { inet: 1, ip: 2, ip6: 10 } as const;

/** States by protocol number, in the order of CTA_TIMEOUT_* (linux/netfilter/nfnetlink_cttimeout.h). */
export const CT_TIMEOUT_STATES: Readonly<Record<number, readonly string[]>> = {
  6: [
    'syn_sent',
    'syn_recv',
    'established',
    'fin_wait',
    'close_wait',
    'last_ack',
    'time_wait',
    'close',
    'syn_sent2',
    'retrans',
    'unack',
  ],
  17: ['unreplied', 'replied'],
};

/** NF_SYNPROXY_OPT_*: in nft's order the flags, then which of the two numbers are given. */
export const SYNPROXY_FLAGS = { timestamp: 8, 'sack-perm': 4 } as const;
export const SYNPROXY_GIVEN = { mss: 1, wscale: 2 } as const;

/** NFTA_TUNNEL_KEY_ERSPAN_V2_DIR, by its number. */
export const ERSPAN_DIRECTIONS = ['ingress', 'egress'] as const;
