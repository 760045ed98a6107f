export {
  LINK_GROUPS,
  type LinkNews,
  linkIn,
  linksRequest,
  type NetworkInterface,
  readInterfaces,
} from './link.ts';
export { NLM_F, type Report, type RtnetlinkMessage, reportIn, rtnetlinkMessages } from './message.ts';
export {
  ROUTE_GROUPS,
  type Route,
  type RouteChange,
  type RouteFilter,
  type RouteNews,
  type RouteType,
  routeIn,
  routeRequest,
  routesRequest,
} from './route.ts';
