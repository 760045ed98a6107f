import { datatype } from '../../datatype/index.ts';
import type { Reject } from '../../model/index.ts';
import { type Header, headers } from '../../protocol/index.ts';
import { evaluateValue } from '../constant.ts';
import { at, CompileError, type Path } from '../error.ts';
import { requireHeader } from '../payload.ts';
import type { Scope } from '../scope.ts';

const CODES = { icmp: 'icmp_code', icmpv6: 'icmpv6_code', icmpx: 'icmpx_code' } as const;

/** Port unreachable, in each protocol's number. */
const UNREACHABLE = { icmp: 3, icmpv6: 4, icmpx: 1 } as const;

/** `{ reject: { type, expr } }`: the type that the packet's protocol calls for where none is said. */
export function evaluateReject(node: Reject | null, scope: Scope, path: Path): void {
  requireAnswerable(scope, path);
  if (node?.type === 'tcp reset') {
    if (node.expr !== undefined) throw new CompileError(at(path, 'expr'), 'a reset has no code');
    requireTcp(scope, path);
    scope.action((emitter) => emitter.push({ name: 'reject', type: 'tcp-rst', code: 0 }));
    return;
  }
  const type = node?.type ?? defaultType(scope, path);
  if (!Object.hasOwn(CODES, type)) {
    throw new CompileError(at(path, 'type'), `expected one of tcp reset, ${Object.keys(CODES).join(', ')}`);
  }
  if (type !== 'icmpx') {
    const header = type === 'icmp' ? headers.ip : headers.ip6;
    scope.first(() => requireHeader(header, scope, path));
  }
  if (type === 'icmpx' && (scope.family === 'ip' || scope.family === 'ip6')) {
    throw new CompileError(
      at(path, 'type'),
      `icmpx is for families of several protocols: use ${scope.family === 'ip' ? 'icmp' : 'icmpv6'}`,
    );
  }
  const typed = { type: datatype(CODES[type]), bits: 8, byteorder: 'network' } as const;
  const code =
    node?.expr === undefined
      ? UNREACHABLE[type]
      : Number(evaluateValue(node.expr, scope, at(path, 'expr'), typed).value);
  scope.action((emitter) =>
    emitter.push({ name: 'reject', type: type === 'icmpx' ? 'icmpx' : 'icmp', code }),
  );
}

/** Link headers whose packets the kernel can answer, in the families that see them. */
const ANSWERABLE: readonly (string | undefined)[] = ['ether', 'vlan', 'netdev'];

function requireAnswerable({ family, protocols }: Scope, path: Path): void {
  if (family !== 'bridge' && family !== 'netdev') return;
  if (!ANSWERABLE.includes(protocols.header('link')?.name))
    throw new CompileError(
      path,
      'only packets of Ethernet can be rejected here, and these are of another link layer',
    );
  requireInternet(protocols.header('network'), path);
}

function requireInternet(network: Header | undefined, path: Path): void {
  if (network === undefined || network === headers.ip || network === headers.ip6) return;
  throw new CompileError(path, `${network.name} packets cannot be rejected, only those of ip and ip6`);
}

function defaultType(scope: Scope, path: Path): 'icmp' | 'icmpv6' | 'icmpx' {
  const network = scope.protocols.header('network');
  requireInternet(network, path);
  if (scope.family === 'inet' && network !== undefined) requireKnownLink(scope, path);
  return network === headers.ip ? 'icmp' : network === headers.ip6 ? 'icmpv6' : 'icmpx';
}

/** nft reads the protocol from the link header, once `meta iiftype` has named one. */
function requireKnownLink({ protocols }: Scope, path: Path): void {
  const link = protocols.header('link')?.name;
  if (link === undefined || ['inet', 'ether', 'vlan'].includes(link)) return;
  throw new CompileError(
    at(path, 'type'),
    `expected icmp, icmpv6 or icmpx: what comes from such a device (meta iiftype) does not say which`,
  );
}

function requireTcp(scope: Scope, path: Path): void {
  const known = scope.protocols.header('transport');
  if (known === headers.tcp) return;
  if (known !== undefined)
    throw new CompileError(path, `tcp reset needs tcp, and the packet is known to be ${known.name}`);
  scope.first(() => requireHeader(headers.tcp, scope, path));
}
