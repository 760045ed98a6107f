import { addressResolution, announcements, reverseResolution } from './arp.ts';
import { otherBridges, privateNetwork, reservedGroups, toTheVm, unlisted, uplinks } from './bridge.ts';
import { dynamicHosts, groupMembership, internet } from './ipv4.ts';
import { dynamicHosts6, fragments, internet6, listeners, routers } from './ipv6.ts';
import { ethertypes, sources } from './link-layer.ts';
import { advertisements, solicitations } from './neighbour.ts';
import type { Section } from './row.ts';
import {
  brokenHeaders,
  floods,
  foreignSources,
  layeredHeaders,
  oddResolution,
  routersAndServers,
} from './weak-spots.ts';

export type { Row, Section } from './row.ts';

/**
 * Frames with known fates under the example policy, by the step of the checks that decides. The bridges
 * learn from the first section where everyone is, so frames to one machine go there and nowhere else.
 */
export const catalogue: readonly Section[] = [
  announcements,
  uplinks,
  unlisted,
  ethertypes,
  sources,
  addressResolution,
  reverseResolution,
  internet,
  dynamicHosts,
  groupMembership,
  internet6,
  fragments,
  solicitations,
  advertisements,
  routers,
  listeners,
  dynamicHosts6,
  reservedGroups,
  toTheVm,
  privateNetwork,
  otherBridges,
  layeredHeaders,
  foreignSources,
  oddResolution,
  brokenHeaders,
  routersAndServers,
  floods,
];
