import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { LOG_PACKET } from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode, type Schema, type ValueOf } from '../wire/schema.ts';

const NLMSG_HEADER = 16;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_SUBSYS_ULOG = 4;

/** Writes messages as the kernel sends them. */
export class MessageWriter {
  readonly #out = new AttributeWriter(4096);
  readonly #port: number;

  /** @param port - the address of the socket that they answer, or that made what they tell of */
  constructor(port = 0) {
    this.#port = port;
  }

  /** Bytes that were written. */
  get length(): number {
    return this.#out.length;
  }

  /** What was written: whole messages, one behind the other. */
  bytes(): Uint8Array {
    return this.#out.bytes().slice();
  }

  /** A message about an nf_tables object. */
  nftables<S extends Schema>(type: number, family: number, schema: S, value: ValueOf<S>, flags = 0): void {
    this.#netfilter((NFNL_SUBSYS_NFTABLES << 8) | type, family, schema, value, flags);
  }

  /** A message about a packet that was logged. */
  log<S extends Schema>(family: number, schema: S, value: ValueOf<S>): void {
    this.#netfilter((NFNL_SUBSYS_ULOG << 8) | LOG_PACKET, family, schema, value, 0);
  }

  /** A message of rtnetlink: a fixed head, then attributes. */
  link(type: number, head: Uint8Array, write: (attributes: AttributeWriter) => void): void {
    const start = this.#out.reserve(NLMSG_HEADER + head.length);
    this.#out.fill(start + NLMSG_HEADER, head);
    write(this.#out);
    this.#close(start, type, 0);
  }

  #netfilter<S extends Schema>(
    type: number,
    family: number,
    schema: S,
    value: ValueOf<S>,
    flags: number,
  ): void {
    const start = this.#out.reserve(NLMSG_HEADER + 4);
    this.#out.view.setUint8(start + NLMSG_HEADER, family);
    encode(schema, value, this.#out);
    this.#close(start, type, flags);
  }

  #close(start: number, type: number, flags: number): void {
    this.#out.view.setUint32(start, this.#out.length - start, hostIsLittleEndian);
    this.#out.view.setUint16(start + 4, type, hostIsLittleEndian);
    this.#out.view.setUint16(start + 6, flags, hostIsLittleEndian);
    this.#out.view.setUint32(start + 12, this.#port, hostIsLittleEndian);
  }
}
