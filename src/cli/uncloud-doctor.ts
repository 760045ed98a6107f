import { connect, stringify } from '../index.ts';
import { examine, observe, parseHost, parsePolicy } from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const doctorHelp = `Usage: nftjs uncloud doctor --host FILE --policy FILE [OPTIONS]

Looks for what on this host stands against the policy, and changes nothing: settings of br_netfilter, chains of
other tables on the same hooks, bridges and ports that are not as described, what the kernel lacks. Exit code 1
where something defeats the policy.

  defeats   something passes that the policy forbids
  loses     something is lost that the policy allows, or may be
  weakens   the kernel lacks something, and the policy holds less finely

Options:
  --host FILE             this host, as for apply
  --policy FILE           the VMs, as for apply
  --json                  an object a finding
${netnsHelp}`;

/** `nftjs uncloud doctor`. */
export async function runDoctor(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseOptions(
    args,
    { host: { type: 'string' }, policy: { type: 'string' }, json: { type: 'boolean' }, ...netnsOption },
    [0, 0],
  );
  if (values.host === undefined || values.policy === undefined)
    throw new UsageError('--host and --policy are needed');
  const host = parseHost(await readJson(values.host, io));
  const { policy } = parsePolicy(await readJson(values.policy, io), { host });
  const { netns } = namespaceOption(values.netns);
  await using nft = connect(netns === undefined ? {} : { netns });
  const path = typeof netns === 'number' ? `/proc/${netns}/ns/net` : netns;
  const findings = examine(await observe(nft, path), host, policy);
  for (const finding of findings) {
    const { severity, where, what, remedy } = finding;
    io.out(
      values.json
        ? `${stringify(finding)}\n`
        : `${severity}  ${where}: ${what}\n         remedy: ${remedy}\n`,
    );
  }
  if (findings.length === 0 && !values.json) io.out('nothing stands against the policy\n');
  return findings.some(({ severity }) => severity === 'defeats') ? EXIT.failure : EXIT.success;
}
