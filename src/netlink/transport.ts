import type { NetlinkSocket } from './socket.ts';

/**
 * What a connection speaks through: the kernel's socket, or something that stands in for it, which need not know
 * of routing.
 */
export type Transport = Pick<
  NetlinkSocket,
  | 'closed'
  | 'submit'
  | 'submitSync'
  | 'dump'
  | 'dumpSync'
  | 'get'
  | 'getSync'
  | 'stream'
  | 'generation'
  | 'generationSync'
  | 'isElsewhere'
  | 'links'
  | 'linksSync'
  | 'port'
  | 'subscribe'
  | 'listen'
  | 'close'
  | typeof Symbol.dispose
  | typeof Symbol.asyncDispose
> &
  /** Where there is none, a large program is a single array. */
  Partial<Pick<NetlinkSocket, 'collect' | 'rtnetlink' | 'subscribeRtnetlink'>>;
