import type { Answer } from '../support/nft-oracle.ts';
import type { RuleCase } from './arbitrary/rule.ts';

/** A difference of bytecode from nft 1.0.6 that is meant. */
export interface Explanation {
  readonly why: string;
  /** The bytecode of a rule, in one line, without what differs for that reason. */
  readonly without: (line: string, rule: RuleCase) => string;
}

/** Of several families of the connection nft takes the last for the packet's, and asks no more. */
const severalFamilies = ({ packet, expr }: RuleCase) =>
  packet.family === 'inet' &&
  expr.some((statement) =>
    /"ct":\{"key":"l3proto"[^}]*\}.*"set":\[(?:"ipv4","ipv6"|"ipv6","ipv4")\]/.test(
      JSON.stringify(statement),
    ),
  );

/** Whether a statement that is no comparison stands before one that is, or needs one for what it reads or writes. */
const hasBetween = (expr: RuleCase['expr']) => {
  const compares = (statement: RuleCase['expr'][number]) =>
    'match' in statement || 'vmap' in statement || JSON.stringify(statement).includes('"payload"');
  const last = expr.findLastIndex(compares);
  return expr.slice(0, Math.max(last, 0)).some((statement) => !('match' in statement));
};

/** A line whose comparisons with bytes of the packet are one for each byte, in no order. */
const bytewise = (line: string) =>
  line
    .replace(
      /\[ payload load (\d+)b @ (\w+) header \+ (\d+) => reg \d+ \] \[ cmp (eq|neq) reg \d+((?: 0x\w{8})+)/g,
      (_, length: string, base: string, offset: string, op: string, words: string) =>
        compared(base, Number(offset), op, words).slice(0, Number(length)).join(' ] '),
    )
    .split(/ \](?: |$)| \[end\] | (?=\[ )/)
    .sort()
    .join(' ] ');

function compared(base: string, offset: number, op: string, words: string): string[] {
  const bytes = words
    .trim()
    .split(' ')
    .flatMap((word) => word.slice(2).match(/../g)?.reverse() ?? []);
  return bytes.map((byte, i) => `[ ${base} ${offset + i} ${op} ${byte}`);
}

export const explanations: readonly Explanation[] = [
  {
    why: 'meant: nft would read a packet of one family by the header of another, so we ask for the family still',
    without: (line, rule) => (severalFamilies(rule) ? '' : line),
  },
  {
    why: 'version: nft 1.0.6 turns the bytes of a single byte before it looks up a concatenation with intervals',
    without: (line) => line.replace(/ \[ byteorder reg (\d+) = hton\(reg \1, 2, 1\) \]/g, ''),
  },
  {
    why: 'version: nft 1.0.6 shifts fields of two bytes in network order, which gives other bits on little endian',
    without: (line) =>
      line.replace(
        /( \[ byteorder reg (\d+) = ntoh\(reg \2, (\d), \3\) \])( \[ bitwise reg \2 = \( reg \2 >> \w+ \) \])( \[ byteorder reg \2 = hton\(reg \2, \3, \3\) \])?/g,
        '$4',
      ),
  },
  {
    why: 'version: so nft 1.0.6 puts the elements of such concatenations into other bytes',
    without: (line, { expr }) =>
      expr.some((statement) => /"concat":.*"(?:dscp|flowlabel|frag-off)"/.test(JSON.stringify(statement)))
        ? line.replace(/element [^[]*(?:\[end\] element [^[]*)*/g, '')
        : line,
  },
  {
    why: 'nft 1.0.6 takes a later register than it needs for what it hashes inside a concatenation; with more parts it runs out of them and crashes',
    without: (line, { expr }) =>
      /"concat":.*"jhash"/.test(JSON.stringify(expr))
        ? line.replace(
            /=> reg (\d+) \] \[ hash reg (\d+) = jhash\(reg \1,/g,
            '=> reg H ] [ hash reg $2 = jhash(reg H,',
          )
        : line,
  },
  {
    why: 'version: nft 1.0.6 merges a lone comparison with those behind another statement, and so changes what comes first',
    without: (line, { expr }) => (hasBetween(expr) ? bytewise(line) : line),
  },
];

/** A rule that one of both refuses, for a reason. */
export interface Refusal {
  readonly why: string;
  /** Whether this rule is refused by one of both for that reason; the narrower the better. */
  readonly covers: (rule: RuleCase, ours: Answer, nft: Answer) => boolean;
}

const nftSays = (nft: Answer, words: RegExp) => 'error' in nft && words.test(nft.error);

export const refusals: readonly Refusal[] = [
  {
    why: 'version: nft 1.0.6 has no header for protocol 47, so that the packet may be of any other to it',
    covers: (_rule, mine) => 'error' in mine && /known to be gre by now|may be gre$/.test(mine.error),
  },
  {
    why: 'meant: as above, where the last of the families is not the one that the rule goes on with',
    covers: (rule, _ours, nft) =>
      severalFamilies(rule) &&
      nftSays(nft, /(?:conflicting protocols specified: ip6? vs\.?|cannot use exthdr with) ip6?$/),
  },
  {
    why: 'version: to nft 1.0.6 the name that fib gives is a string without a size, not an interface name',
    covers: (_rule, _ours, nft) =>
      nftSays(
        nft,
        /variable sized data types \(string\) in concat|has type string$|^Error: datatype mismatch.*\bstring\b/,
      ),
  },
  {
    why: 'nft 1.0.6 reads options and chunks from JSON in fewer places than it reads them from text',
    covers: (_rule, _ours, nft) =>
      nftSays(
        nft,
        /Expression type (?:exthdr|ip option|tcp option|sctp chunk|socket|fib) not allowed in context/,
      ) || nftSays(nft, /Unknown tcp option field '(?:length|kind)'/),
  },
];
