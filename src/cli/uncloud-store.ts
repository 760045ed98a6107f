import { readFile } from 'node:fs/promises';
import { connect } from '../index.ts';
import {
  type Imported,
  importCsv,
  importJson,
  importLibvirt,
  importOpenNebula,
  importProxmox,
  teardown,
  waitForVm,
  writeImport,
} from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { storeHelp, storeOf, storeOptions } from './store-options.ts';

export const waitHelp = `Usage: nftjs uncloud wait --vm ID --name HOST --store STORE [--timeout SECONDS]

Waits until a host has put a VM's record in force, as it is now: for before the VM starts or arrives there. Exit
code 1 where the host refuses the record, or after the timeout (60).
${storeHelp}`;

export async function runWait(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseOptions(
    args,
    {
      vm: { type: 'string' },
      name: { type: 'string' },
      timeout: { type: 'string', default: '60' },
      ...storeOptions,
    },
    [0, 0],
  );
  const { vm, name, prefix, timeout } = values;
  if (vm === undefined || name === undefined) throw new UsageError('--vm and --name are needed');
  if (!(Number(timeout) > 0)) throw new UsageError('--timeout is a number of seconds');
  await using store = await storeOf(values);
  const { revision } = await waitForVm(store, prefix, name, vm, AbortSignal.timeout(Number(timeout) * 1000));
  io.out(`${vm} is in force on ${name}, at revision ${revision}\n`);
  return EXIT.success;
}

export const teardownHelp = `Usage: nftjs uncloud teardown [OPTIONS]

Takes the three tables called uncloud and the routes of protocol 117 away, and nothing else.
${netnsHelp}`;

export async function runTeardown(args: readonly string[], _io: Io): Promise<number> {
  const { values } = parseOptions(args, netnsOption, [0, 0]);
  await using nft = connect(namespaceOption(values.netns));
  await teardown(nft);
  return EXIT.success;
}

/** Formats that one file after the other is read in; Proxmox' files belong together. */
const FORMATS: Readonly<Record<string, (text: string) => Imported>> = {
  opennebula: importOpenNebula,
  libvirt: importLibvirt,
  csv: importCsv,
  json: importJson,
};

export const importHelp = `Usage: nftjs uncloud import opennebula|libvirt|proxmox|csv|json FILE… --store STORE

Puts the VMs of an export (and their security groups) into a store: only what differs from what is there, and
nothing is deleted. Standard error says what the store cannot hold. A record that would be refused is not written:
the exit code is 1.

  opennebula    what onevm show -x or onevm list -x --extended prints
  libvirt       what virsh dumpxml prints
  proxmox       files of /etc/pve: qemu-server/*.conf, lxc/*.conf, firewall/*.fw
  csv           a NIC a line: vm,ifname,bridge,mac,addresses,groups,vlans,filter
  json          a policy file, or a list of NICs with the fields that csv has
${storeHelp}`;

export async function runImport(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(args, storeOptions, [2, Number.MAX_SAFE_INTEGER]);
  const [format = '', ...names] = positionals;
  const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(name, 'utf8') })));
  const one = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (one === undefined && format !== 'proxmox')
    throw new UsageError(`expected ${Object.keys(FORMATS).join(', ')} or proxmox, not ${format}`);
  const imports = one === undefined ? [importProxmox(files)] : files.map(({ text }) => one(text));
  await using store = await storeOf(values);
  let unchanged = 0;
  let refused = 0;
  for (const imported of imports) {
    for (const { where, what } of imported.omissions) io.err(`uncloud: ${where}: ${what}\n`);
    const written = await writeImport(store, values.prefix, imported);
    for (const key of written.put) io.out(`put ${key}\n`);
    for (const { key, path, why } of written.refused) io.err(`uncloud: refused ${key}${path}: ${why}\n`);
    unchanged += written.unchanged.length;
    refused += written.refused.length;
  }
  io.out(`${unchanged} unchanged\n`);
  return refused > 0 ? EXIT.failure : EXIT.success;
}
