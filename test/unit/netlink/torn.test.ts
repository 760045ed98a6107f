import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Connection, type Ruleset, TornError, transaction } from '../../../src/index.ts';
import { ELEMENT, ElementReader, MESSAGE } from '../../../src/message/index.ts';
import type { DumpRequest, DumpResult } from '../../../src/netlink/request.ts';
import type { Transport } from '../../../src/netlink/transport.ts';
import { FakeKernel } from '../../../src/testing/index.ts';

const place = { family: 'inet', table: 't', name: 's' } as const;
const addresses = Array.from({ length: 50 }, (_, i) => `10.0.0.${i}`);

type Answer = (request: DumpRequest, answer: DumpResult, asked: number) => DumpResult;

/** A connection to a kernel whose answers about elements are changed on their way. */
class Disturbed extends Connection {
  /** How often elements were asked for. */
  readonly asked: () => number;

  constructor(transport: Transport, change: Answer) {
    let asked = 0;
    const dump = async (request: DumpRequest) => {
      const answer = await transport.dump(request);
      const ofElements = request.type === MESSAGE.GETSETELEM || request.type === MESSAGE.GETSETELEM_RESET;
      return ofElements ? change(request, answer, ++asked) : answer;
    };
    super(
      new Proxy(transport, {
        get(target, name) {
          if (name === 'dump') return dump;
          const value = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
    );
    this.asked = () => asked;
  }
}

/** An answer as the kernel gives it when it rearranges a table meanwhile: `twice` in the place of `missing`. */
function torn(answer: DumpResult, twice: number, missing: number): DumpResult {
  const messages = answer.messages.slice();
  const places: [start: number, end: number][] = [];
  for (const reader = new ElementReader(messages); reader.next(); ) {
    assert.notEqual(reader.at[ELEMENT.key], 0);
    places.push([reader.start, reader.end]);
  }
  const [from, to] = [places[twice], places[missing]];
  assert.ok(from && to);
  messages.copyWithin(to[0], ...from);
  return { ...answer, messages };
}

async function disturbed(set: object, change: Answer): Promise<Disturbed> {
  const { socket, commit } = bound(new FakeKernel().connect());
  await commit(
    transaction().add({ table: { family: 'inet', name: 't' } }, {
      set: { ...place, type: 'ipv4_addr', elem: addresses, ...set },
    } as never),
  );
  return new Disturbed(socket, change);
}

const bound = (nft: Connection) => ({ socket: nft.socket, commit: nft.commit.bind(nft) });

/** The elements of the listing's only set. */
function elements({ nftables }: Pick<Ruleset, 'nftables'>): readonly unknown[] {
  return nftables.flatMap((item) => ('set' in item ? [item.set.elem] : [])).flat();
}

const listed = async (nft: Connection) => elements(await nft.list());

suite('a set that the kernel rearranges while it is read', () => {
  test('is read again, until no element is told twice', async () => {
    const nft = await disturbed({}, (_, answer, asked) => (asked < 4 ? torn(answer, 1, 7) : answer));
    assert.deepEqual(await listed(nft), addresses);
    assert.equal(nft.asked(), 4);
  });

  test('is refused with an error when that never ends', async () => {
    const nft = await disturbed({}, (_, answer) => torn(answer, 40, 3));
    await assert.rejects(nft.list(), (error) => {
      assert.ok(error instanceof TornError);
      assert.equal(error.code, 'EINTR');
      assert.match(error.message, /the set s changed each of the 20 times/);
      return true;
    });
    assert.equal(nft.asked(), 20);
  });

  test('can be given up', async () => {
    const nft = await disturbed({}, (_, answer) => torn(answer, 40, 3));
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 30);
    await assert.rejects(nft.list({ signal: controller.signal }), reason);
    assert.ok(nft.asked() < 20);
  });

  test('is told of several answers where packets change it all the time', async () => {
    const nft = await disturbed({ flags: ['dynamic', 'timeout'], size: 1000 }, (_, answer, asked) =>
      torn(answer, 0, asked),
    );
    assert.deepEqual(await listed(nft), addresses);
    assert.equal(nft.asked(), 4);
  });

  test('is not looked through where its table has a fixed size', async () => {
    const nft = await disturbed({ size: 50 }, (_, answer) => answer);
    assert.deepEqual(await listed(nft), addresses);
    assert.equal(nft.asked(), 1);
  });

  test('is reset whole, and what was counted meanwhile is not lost', async () => {
    const nft = await disturbed(
      {
        elem: addresses.map((val, i) => ({
          elem: { val, counter: { packets: i + 1, bytes: 100 * (i + 1) } },
        })),
        stmt: [{ counter: null }],
      },
      (_, answer, asked) => (asked === 1 ? torn(answer, 2, 5) : answer),
    );
    const { reset } = await nft.commit([{ reset: { set: place } } as never]);
    const elem = elements({ nftables: reset.get(0) ?? [] });
    assert.equal(nft.asked(), 2);
    const counted = (elem as readonly { elem: { val: string; counter: { packets: number } } }[]).map(
      ({ elem: { val, counter } }) => [val, counter.packets],
    );
    // What is told again is what was counted since; the answer that was to tell of the sixth never came.
    const packets = addresses.map((address, i) => [address, i === 2 ? 6 : i === 5 ? 0 : i + 1]);
    assert.deepEqual(counted, packets);
  });
});

suite('a ruleset that somebody changes all the time', () => {
  test('is refused with an error in the end', async () => {
    const kernel = new FakeKernel();
    const writer = kernel.connect();
    await writer.commit([{ add: { table: { family: 'ip', name: 't' } } }]);
    let dumps = 0;
    const busy = new Proxy(kernel.connect().socket, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (name === 'dump') {
            dumps++;
            writer.commitSync([{ add: { chain: { family: 'ip', table: 't', name: `c${dumps}` } } }]);
          }
          return value.apply(target, given);
        };
      },
    });
    const nft = new (class extends Connection {
      constructor() {
        super(busy);
      }
    })();
    await assert.rejects(nft.list(), {
      name: 'TornError',
      code: 'EINTR',
      message: /the ruleset changed each of the 50 times/,
    });
  });
});
