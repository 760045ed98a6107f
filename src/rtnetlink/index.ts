export {
  LINK_GROUPS,
  type LinkNews,
  linkIn,
  linksRequest,
  type NetworkInterface,
  readInterfaces,
} from './link.ts';
export { type Report, reportIn } from './message.ts';
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
