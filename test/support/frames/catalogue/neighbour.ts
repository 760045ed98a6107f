import { alice, bob, router } from '../network.ts';
import {
  authentication,
  destinationOptions,
  ethernet,
  fragment,
  hopByHop,
  ipv6,
  type Layer,
  linkLayer,
  multicastMac,
  NA_OVERRIDE,
  NA_ROUTER,
  NA_SOLICITED,
  NONCE,
  neighbourAdvertisement,
  neighbourSolicitation,
  routing,
  slice,
  solicitedNode,
} from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const ALL_NODES = 'ff02::1';

const sent = (layer: Layer, dst: string, src: string): Buffer =>
  ethernet({ src: alice.mac, dst: multicastMac(dst) }, ipv6({ src, dst }, layer));

const toBob = (layer: Layer, src = alice.ipv6): Buffer =>
  ethernet({ src: alice.mac, dst: bob.mac }, ipv6({ src, dst: bob.ipv6 }, layer));

const chains: readonly (readonly [string, (layer: Layer) => Layer])[] = [
  ['behind hop-by-hop options', (layer) => hopByHop(layer)],
  ['behind destination options', (layer) => destinationOptions(layer)],
  ['behind a routing header', routing],
  ['in an atomic fragment', (layer) => fragment(layer)],
  ['in a first fragment', (layer) => fragment(slice(layer, 0, 24), { moreFragments: true })],
  ['behind an authentication header', authentication],
  ['behind destination options in an atomic fragment', (layer) => fragment(destinationOptions(layer))],
];

const ask = (target: string, ...options: Buffer[]): Layer => neighbourSolicitation(target, ...options);
const own = linkLayer(1, alice.mac);
const resolve = ask(bob.ipv6, own);

const asked = (layer: Layer, src = alice.ipv6): Buffer => sent(layer, solicitedNode(bob.ipv6), src);
const probe = (target: string, ...options: Buffer[]): Buffer =>
  sent(ask(target, ...options), solicitedNode(target), '::');

export const solicitations: Section = {
  title: 'Neighbour solicitation',
  because:
    "Neighbour discovery carries link-layer addresses without proof (RFC 3756 4.1): source, target and option must be the port's; no extension header is legitimate there (RFC 6980), duplicate address detection speaks for an own target (RFC 4862 5.4, RFC 7527).",
  rows: [
    pass('resolves a neighbour', alice, asked(resolve)),
    pass('resolves, from the link-local address', alice, asked(resolve, alice.linkLocal)),
    pass('resolves, from a delegated network', alice, asked(resolve, alice.delegated)),
    pass('checks that a neighbour is there', alice, toBob(ask(bob.ipv6)), [bob]),
    ...[alice.ipv6, alice.linkLocal, alice.delegated].flatMap((target) => [
      pass(`duplicate probe for ${target}`, alice, probe(target)),
      pass(`duplicate probe for ${target}, with a nonce`, alice, probe(target, NONCE)),
    ]),
    ...[bob.ipv6, bob.linkLocal, bob.delegated, router.linkLocal].flatMap((target) => [
      drop(`duplicate probe for ${target}`, alice, probe(target)),
      drop(`duplicate probe for ${target}, with a nonce`, alice, probe(target, NONCE)),
    ]),
    drop(
      "duplicate probe from the neighbour's MAC",
      alice,
      ethernet(
        { src: bob.mac, dst: multicastMac(ALL_NODES) },
        ipv6({ src: '::', dst: ALL_NODES }, ask(alice.ipv6)),
      ),
    ),
    drop("link-layer address as a target's", alice, asked(ask(bob.ipv6, linkLayer(2, alice.mac)))),
    drop('duplicate probe with a link-layer address', alice, probe(alice.ipv6, own)),
    drop('duplicate probe with two nonces', alice, probe(alice.ipv6, NONCE, NONCE)),
    drop("from the neighbour's address", alice, asked(resolve, bob.ipv6)),
    drop("from the router's address", alice, asked(resolve, router.linkLocal)),
    drop("link-layer address the neighbour's", alice, asked(ask(bob.ipv6, linkLayer(1, bob.mac)))),
    drop(
      'link-layer address twice, the second foreign',
      alice,
      asked(ask(bob.ipv6, own, linkLayer(1, bob.mac))),
    ),
    drop(
      'link-layer address twice, the first foreign',
      alice,
      asked(ask(bob.ipv6, linkLayer(1, bob.mac), own)),
    ),
    drop(
      'a nonce, then a foreign link-layer address',
      alice,
      asked(ask(bob.ipv6, NONCE, linkLayer(1, bob.mac))),
    ),
    ...chains.map(([where, wrap]) => drop(where, alice, asked(wrap(ask(bob.ipv6, linkLayer(1, bob.mac)))))),
    ...chains.map(([where, wrap]) => drop(`resolves ${where}`, alice, asked(wrap(resolve)))),
  ],
};

const mine = linkLayer(2, alice.mac);
const UNSOLICITED = NA_OVERRIDE;
const say = (target: string, ...options: Buffer[]): Layer =>
  neighbourAdvertisement(target, UNSOLICITED, ...options);

const toAll = (layer: Layer, src = alice.ipv6): Buffer => sent(layer, ALL_NODES, src);
const spoofed = (name: string, layer: Layer, src?: string): Row => drop(name, alice, toAll(layer, src));

export const advertisements: Section = {
  title: 'Neighbour advertisement',
  because:
    'An advertisement for a foreign target takes its traffic over (RFC 3756 4.1.1, Neutron CVE-2015-8914 and CVE-2016-5362); the router flag says what a VM is not (RFC 4861 4.4).',
  rows: [
    ...[alice.ipv6, alice.linkLocal, alice.delegated].map((target) =>
      pass(`for ${target}`, alice, toAll(say(target, mine), target)),
    ),
    pass('without an option', alice, toAll(say(alice.ipv6))),
    pass(
      'answers a neighbour',
      alice,
      toBob(neighbourAdvertisement(alice.ipv6, NA_SOLICITED | NA_OVERRIDE, mine)),
      [bob],
    ),
    ...[bob.ipv6, bob.linkLocal, bob.delegated, router.linkLocal, '2001:db8::1'].map((target) =>
      spoofed(`for ${target}`, say(target, mine)),
    ),
    drop(
      "for the neighbour's address, to the router",
      alice,
      ethernet(
        { src: alice.mac, dst: router.mac },
        ipv6(
          { src: alice.ipv6, dst: router.linkLocal },
          neighbourAdvertisement(bob.ipv6, NA_SOLICITED | NA_OVERRIDE, mine),
        ),
      ),
    ),
    spoofed("from the neighbour's address, for it", say(bob.ipv6, mine), bob.ipv6),
    spoofed("from the neighbour's address", say(alice.ipv6, mine), bob.ipv6),
    spoofed("link-layer address as a source's", say(alice.ipv6, own)),
    spoofed('from ::, without an option', say(alice.ipv6), '::'),
    spoofed('from ::, with a nonce', say(alice.ipv6, NONCE), '::'),
    spoofed('from ::', say(alice.ipv6, mine), '::'),
    spoofed("link-layer address the neighbour's", say(alice.ipv6, linkLayer(2, bob.mac))),
    spoofed('link-layer address twice, the second foreign', say(alice.ipv6, mine, linkLayer(2, bob.mac))),
    spoofed('link-layer address twice, both own', say(alice.ipv6, mine, mine)),
    spoofed('router flag', neighbourAdvertisement(alice.ipv6, NA_ROUTER | NA_OVERRIDE, mine)),
    spoofed(
      'router flag, without an option',
      neighbourAdvertisement(alice.linkLocal, NA_ROUTER),
      alice.linkLocal,
    ),
    ...chains.map(([where, wrap]) =>
      spoofed(`for the neighbour's address ${where}`, wrap(say(bob.ipv6, mine))),
    ),
    ...chains.map(([where, wrap]) => spoofed(where, wrap(say(alice.ipv6, mine)))),
  ],
};
