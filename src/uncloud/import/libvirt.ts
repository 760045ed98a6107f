import type { Element } from '@xmldom/xmldom';
import { isBuiltIn } from '../filter.ts';
import { byFamily, ImportError, type Imported, type ImportedNic, type Omission } from './imported.ts';
import { attribute, child, children, parseXml, strangers, textOf } from './xml.ts';

/** Variables that name addresses: they become the NIC's own. */
const IP_VARIABLES = ['IP', 'IPV6'];

/** Kinds of interfaces that are never ports of a bridge. */
const NO_PORT = [
  'user',
  'hostdev',
  'direct',
  'ethernet',
  'server',
  'client',
  'mcast',
  'udp',
  'internal',
  'null',
  'vdpa',
];

/** What is taken of an interface, and what does not concern a firewall. */
const INTERFACE =
  `mac source target model driver alias address boot rom link mtu bandwidth tune backend coalesce guest script
  downscript filterref ip route vlan virtualport actual port teaming acpi portForward sndbuf`.split(/\s+/);

/**
 * Reads the XML of domains: of `virsh dumpxml`, one or several (in any element around them), or what libvirt keeps
 * of a running one (`<domstatus>`). A domain's name is its id. Of an interface it takes MAC, bridge, target, `<ip>`, the
 * tags of a VLAN trunk, and the filter with its variables: IP and IPV6 become the NIC's addresses.
 *
 * A domain that does not run has no ports: it is left out whole, and its record stays as it is.
 */
export function importLibvirt(text: string): Imported {
  const root = parseXml(text);
  const domains = root.nodeName === 'domain' ? [root] : [...root.getElementsByTagName('domain')];
  if (domains.length === 0) throw new ImportError(`<${root.nodeName}> has no <domain>`);
  const vms: Record<string, { nics: ImportedNic[] }> = {};
  const omissions: Omission[] = [];
  for (const domain of domains) {
    const name = textOf(domain, 'name');
    if (name === undefined) throw new ImportError('a <domain> without <name>');
    const nics = children(child(domain, 'devices'), 'interface').map((one, i) =>
      nicOf(one, `domain ${name}, interface ${i}`, omissions),
    );
    if (nics.includes(UNKNOWN_PORT))
      omissions.push({
        where: `domain ${name}`,
        what: 'it does not run, or does not say where: it is left out',
      });
    else vms[name] = { nics: nics.filter((nic) => nic !== NO_NIC) as ImportedNic[] };
  }
  return { vms, groups: {}, omissions };
}

const NO_NIC = Symbol('no port of a bridge');
const UNKNOWN_PORT = Symbol('a port that is not there yet');

function nicOf(
  element: Element,
  where: string,
  omissions: Omission[],
): ImportedNic | typeof NO_NIC | typeof UNKNOWN_PORT {
  const omit = (what: string) => omissions.push({ where, what });
  // What a network has come to: libvirt's own files say it beside the network.
  const actual = child(element, 'actual');
  const type = attribute(actual, 'type') ?? attribute(element, 'type') ?? '';
  if (NO_PORT.includes(type)) {
    omit(`type ${type} is no port of a bridge: the interface is left out`);
    return NO_NIC;
  }
  const mac = attribute(child(element, 'mac'), 'address');
  const ifname = attribute(child(element, 'target'), 'dev');
  // A running domain says which bridge its network has; one that is not only says which network.
  const bridge = [actual, element].map((one) => attribute(child(one, 'source'), 'bridge')).find(Boolean);
  if (mac === undefined || ifname === undefined || bridge === undefined) {
    const missing =
      mac === undefined ? '<mac address>' : ifname === undefined ? '<target dev>' : '<source bridge>';
    omit(`no ${missing}`);
    return UNKNOWN_PORT;
  }
  for (const name of strangers(element, INTERFACE)) omit(`<${name}> is not known`);
  if (attribute(element, 'trustGuestRxFilters') === 'yes')
    omit('trustGuestRxFilters: the guest cannot have other MACs than its own');
  if (attribute(child(element, 'port'), 'isolated') === 'yes')
    omit('<port isolated>: guests on one bridge may talk to each other');
  if ([actual, element].some((one) => attribute(child(one, 'virtualport'), 'type') === 'openvswitch'))
    omit('a port of Open vSwitch: its bridge needs "backend": "netdev"');

  const reference = child(element, 'filterref');
  const parameters = new Map<string, string[]>();
  for (const parameter of children(reference, 'parameter')) {
    const [name, value] = [attribute(parameter, 'name'), attribute(parameter, 'value')];
    if (name === undefined || value === undefined) continue;
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  const filter = attribute(reference, 'filter');
  if (filter !== undefined && !isBuiltIn(filter))
    omit(`filter ${filter} is one of its own: it has to be in the store`);
  const learning = parameters.get('CTRL_IP_LEARNING')?.[0];
  const learn = learning === 'dhcp' || learning === 'any' ? learning : undefined;
  if (learning !== undefined && learn === undefined && learning !== 'none')
    omit(`CTRL_IP_LEARNING=${learning} is unknown: no addresses are learnt`);
  const said = parameters.get('MAC') ?? [];
  if (said.some((one) => one.toLowerCase() !== mac.toLowerCase()))
    omit(`parameter MAC is ${said.join(', ')}: the interface's own is taken`);

  const own = children(element, 'ip').flatMap((ip) => attribute(ip, 'address') ?? []);
  const variables = [...parameters].filter(
    ([name]) => !IP_VARIABLES.includes(name) && name !== 'MAC' && !name.startsWith('CTRL_'),
  );
  const vlans = trunk(child(actual, 'vlan') ?? child(element, 'vlan'));
  return {
    ifname,
    bridge,
    mac: mac.toLowerCase(),
    ...byFamily([...own, ...IP_VARIABLES.flatMap((name) => parameters.get(name) ?? [])]),
    ...(vlans.length > 0 && { vlans }),
    ...(filter !== undefined && { filter }),
    ...(learn !== undefined && { learn }),
    ...(variables.length > 0 && { variables: Object.fromEntries(variables.sort()) }),
  };
}

/** The tags that frames of the guest may have: a single one is the bridge's concern, and so is a native one. */
function trunk(vlan: Element | undefined): number[] {
  const tags = children(vlan, 'tag');
  if (tags.length < 2 && attribute(vlan, 'trunk') !== 'yes') return [];
  return tags
    .filter((tag) => attribute(tag, 'nativeMode') !== 'untagged')
    .map((tag) => Number(attribute(tag, 'id')))
    .sort((a, b) => a - b);
}
