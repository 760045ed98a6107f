import type { Driver, Session } from '../driver.ts';
import { nftjs } from '../library.ts';
import { TABLE } from '../work.ts';

const available = () => undefined;

/** What the library is for: `await commit(…)`. */
export const asynchronous: Driver = {
  missing: available,
  open(): Session {
    const nft = nftjs.connect();
    return {
      prepare: (work) => async () => void (await nft.commit([...work.commands()])),
      list: () => nft.list(),
      columns: () => nft.elements({ ...TABLE, name: 's' }).columns(),
      close: () => nft.close(),
    };
  },
};

/** With elements in rows of bytes. */
export const packed: Driver = {
  missing: available,
  open(): Session {
    const nft = nftjs.connect();
    return {
      prepare(work) {
        const commands = work.packed?.();
        if (commands === undefined) throw new Error('nothing of it can be packed');
        return async () => void (await nft.commit([...commands]));
      },
      list: () => nft.list(),
      close: () => nft.close(),
    };
  },
};

/** The synchronous twin. */
export const synchronous: Driver = {
  missing: available,
  open(): Session {
    const nft = nftjs.connect();
    return {
      prepare: (work) => () => void nft.commitSync([...work.commands()]),
      list: () => nft.list(),
      close: () => nft.close(),
    };
  },
};
