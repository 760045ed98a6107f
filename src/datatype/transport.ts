import type { Datatype } from './datatype.ts';
import { symbolic } from './symbolic.ts';

/** The flags of a TCP segment (RFC 9293, RFC 3168). */
export const tcpFlag: Datatype = symbolic({
  name: 'tcp_flag',
  id: 15,
  bits: 8,
  byteorder: 'network',
  base: 'bitmask',
  hexDigits: 1,
  symbols: {
    fin: 0x01,
    syn: 0x02,
    rst: 0x04,
    psh: 0x08,
    ack: 0x10,
    urg: 0x20,
    ecn: 0x40,
    cwr: 0x80,
  },
});

/** The type of a DCCP packet (RFC 4340). */
export const dccpPkttype: Datatype = symbolic({
  name: 'dccp_pkttype',
  id: 16,
  bits: 4,
  byteorder: 'network',
  symbols: {
    request: 0,
    response: 1,
    data: 2,
    ack: 3,
    dataack: 4,
    closereq: 5,
    close: 6,
    reset: 7,
    sync: 8,
    syncack: 9,
  },
});

/** The type of a Mobile IPv6 message (RFC 6275). */
export const mhType: Datatype = symbolic({
  name: 'mh_type',
  id: 17,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'binding-refresh-request': 0,
    'home-test-init': 1,
    'careof-test-init': 2,
    'home-test': 3,
    'careof-test': 4,
    'binding-update': 5,
    'binding-acknowledgement': 6,
    'binding-error': 7,
    'fast-binding-update': 8,
    'fast-binding-acknowledgement': 9,
    'fast-binding-advertisement': 10,
    'experimental-mobility-header': 11,
    'home-agent-switch-message': 12,
  },
});
