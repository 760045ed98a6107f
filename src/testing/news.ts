import { MESSAGE, NLM, rule as ruleSchema } from '../message/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import { MessageWriter } from './netlink-message.ts';
import type { BatchMessage } from './program-reader.ts';
import type { Chain, Rule } from './state.ts';
import { ruleValue } from './tell.ts';

/** Something that a transaction did, told when all of it is done: only then is known what it came to. */
interface Item {
  readonly message: BatchMessage;
  /** Whether the one who did it hears of it, too, if echoes were asked for. */
  readonly isEcho: boolean;
  write(out: MessageWriter): void;
}

/** NLM_F_* that are told again. */
const TOLD_FLAGS = NLM.CREATE | NLM.EXCL;

/** What is told of a transaction, in its order. */
export class News {
  readonly #items: Item[] = [];
  /** The rules of the chains that it changed with those that it took away, which go one by one as they are told. */
  readonly #rules = new Map<Chain, Rule[]>();

  /** The names that chains have until it is told that they get others. */
  readonly #names = new Map<Chain, string>();

  /** A chain gets another name. */
  renamed(message: BatchMessage, chain: Chain, name: string): void {
    this.#names.set(chain, chain.name);
    this.#items.push({
      message,
      isEcho: false,
      write() {
        chain.name = name;
      },
    });
  }

  /** Something was made or changed. */
  made<S extends Schema>(message: BatchMessage, type: number, schema: S, value: () => ValueOf<S>): void {
    const { family, flags, elements } = message;
    const write = (out: MessageWriter) => out.nftables(type, family, schema, value(), flags & TOLD_FLAGS);
    this.#items.push({ message, isEcho: elements === undefined, write });
  }

  /** Something was taken away. */
  gone<S extends Schema>(message: BatchMessage, type: number, schema: S, value: ValueOf<S>): void {
    const write = (out: MessageWriter) => out.nftables(type, message.family, schema, value);
    this.#items.push({ message, isEcho: false, write });
  }

  /**
   * A rule is put into its chain.
   *
   * @param place - next to which rule; at an end of the chain without one
   */
  ruleMade(
    message: BatchMessage,
    rule: Rule,
    { neighbour, after }: { readonly neighbour: Rule | undefined; readonly after: boolean },
  ): void {
    const all = this.#all(rule.chain);
    const at = neighbour === undefined ? (after ? all.length : 0) : all.indexOf(neighbour) + (after ? 1 : 0);
    all.splice(at, 0, rule);
    const append = message.flags & (NLM.APPEND | NLM.REPLACE) ? NLM.APPEND : 0;
    this.#items.push({
      message,
      isEcho: true,
      write(out) {
        const at = all.indexOf(rule);
        const previous = at === all.length - 1 ? undefined : all[at - 1];
        const position = previous === undefined ? {} : { position: previous.handle };
        const value = { ...ruleValue(rule), ...position };
        out.nftables(
          MESSAGE.NEWRULE,
          message.family,
          ruleSchema,
          value,
          (message.flags & TOLD_FLAGS) | append,
        );
      },
    });
  }

  /** A rule is taken from its chain. */
  ruleGone(message: BatchMessage, rule: Rule): void {
    const all = this.#all(rule.chain);
    this.#items.push({
      message,
      isEcho: false,
      write(out) {
        out.nftables(MESSAGE.DELRULE, message.family, ruleSchema, ruleValue(rule));
        all.splice(all.indexOf(rule), 1);
      },
    });
  }

  /**
   * Writes it all down; for each message of the transaction that is to be echoed also apart.
   *
   * @param echoes - whether all messages are, or only those that say so
   */
  write(port: number, echoes: boolean): { readonly all: Uint8Array; readonly echo: readonly Echoed[] } {
    const all = new MessageWriter(port);
    for (const [chain, name] of this.#names) chain.name = name;
    const echo = this.#items.flatMap((item) => {
      const start = all.length;
      item.write(all);
      const isAsked = echoes || (item.message.flags & NLM.ECHO) !== 0;
      return item.isEcho && isAsked ? [{ operation: item.message.operation, start, end: all.length }] : [];
    });
    const bytes = all.bytes();
    return {
      all: bytes,
      echo: echo.map(({ operation, start, end }) => ({ operation, message: bytes.subarray(start, end) })),
    };
  }

  /** As it is before the first change. */
  #all(chain: Chain): Rule[] {
    const known = this.#rules.get(chain);
    if (known !== undefined) return known;
    const all = [...chain.rules];
    this.#rules.set(chain, all);
    return all;
  }
}

/** A message for the one who asked for echoes. */
export interface Echoed {
  readonly operation: number;
  readonly message: Uint8Array;
}
