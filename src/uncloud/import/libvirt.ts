import type { Element } from '@xmldom/xmldom';
import { byFamily, ImportError, type Imported, type ImportedNic, type Omission } from './imported.ts';
import { attribute, child, children, parseXml, textOf } from './xml.ts';

/** Filters whose variables are all that a NIC has anyway. */
const IP_VARIABLES = ['IP', 'IPV6'];

/**
 * Reads the XML of domains (`virsh dumpxml`), running or not, one or several (in any element around them). A
 * domain's name is its id. Of an interface it takes MAC, bridge, target, `<ip>`, and the filter with its
 * variables: IP and IPV6 become the NIC's addresses; that addresses are to be learnt is reported.
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
    const interfaces = children(child(domain, 'devices'), 'interface');
    vms[name] = {
      nics: interfaces.flatMap((one, i) => nicOf(one, `domain ${name}, interface ${i}`, omissions)),
    };
  }
  return { vms, groups: {}, omissions };
}

function nicOf(element: Element, where: string, omissions: Omission[]): ImportedNic[] {
  const mac = attribute(child(element, 'mac'), 'address');
  const ifname = attribute(child(element, 'target'), 'dev');
  const source = child(element, 'source');
  // A running domain says which bridge its network has; one that is not only says which network.
  const bridge = attribute(source, 'bridge');
  const missing = [
    [mac, '<mac address>'],
    [ifname, '<target dev> (a running domain has it)'],
    [bridge, '<source bridge> (a running domain has it)'],
  ].find(([value]) => value === undefined);
  if (missing !== undefined || mac === undefined || ifname === undefined || bridge === undefined) {
    omissions.push({ where, what: `no ${missing?.[1]}: the interface is left out` });
    return [];
  }
  const reference = child(element, 'filterref');
  const parameters = new Map<string, string[]>();
  for (const parameter of children(reference, 'parameter')) {
    const [name, value] = [attribute(parameter, 'name'), attribute(parameter, 'value')];
    if (name === undefined || value === undefined) continue;
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  const own = children(element, 'ip').flatMap((ip) => attribute(ip, 'address') ?? []);
  const learning = parameters.get('CTRL_IP_LEARNING')?.[0];
  if (learning !== undefined && learning !== 'none')
    omissions.push({
      where,
      what: `CTRL_IP_LEARNING=${learning}: only addresses that are written are known`,
    });
  const filter = attribute(reference, 'filter');
  const variables = [...parameters].filter(
    ([name]) => !IP_VARIABLES.includes(name) && name !== 'MAC' && !name.startsWith('CTRL_'),
  );
  return [
    {
      ifname,
      bridge,
      mac: mac.toLowerCase(),
      ...byFamily([...own, ...IP_VARIABLES.flatMap((name) => parameters.get(name) ?? [])]),
      ...(filter !== undefined && { filter }),
      ...(variables.length > 0 && { variables: Object.fromEntries(variables.sort()) }),
    },
  ];
}
