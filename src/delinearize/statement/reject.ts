import { datatype } from '../../datatype/index.ts';
import type { Reject } from '../../model/index.ts';
import { headers } from '../../protocol/index.ts';
import type { StatementReaders } from '../step.ts';
import { Inexpressible } from '../term.ts';

const CODES = { icmp: 'icmp_code', icmpv6: 'icmpv6_code', icmpx: 'icmpx_code' } as const;

export const rejectReaders: StatementReaders = {
  reject: ({ type, code = 0 }) => ({
    terms: [],
    run: (describer) => {
      if (type === 'tcp-rst') {
        if (code !== 0) throw new Inexpressible('a reset has no code');
        describer.push({ reject: { type: 'tcp reset' } });
        return;
      }
      const { network } = describer.protocols;
      if (type === 'icmp' && network === undefined)
        throw new Inexpressible('the address family is not known');
      const kind = type === 'icmpx' ? 'icmpx' : network === 'ip' ? 'icmp' : 'icmpv6';
      if (kind !== 'icmpx') describer.uses(kind === 'icmp' ? headers.ip : headers.ip6);
      const typed = { type: datatype(CODES[kind]), bits: 8, byteorder: 'network' } as const;
      describer.push({
        reject: { type: kind as NonNullable<Reject['type']>, expr: describer.literal(BigInt(code), typed) },
      });
    },
  }),
};
