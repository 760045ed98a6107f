import { type Extension, extension } from './extension.ts';

/**
 * A DCCP option, which nft knows by number only (`dccp option 43 exists`; nft 1.0.8, kernel 6.5).
 *
 * @param type - the option type of RFC 4340, section 5.8
 * @throws RangeError when the type is not from 0 to 255
 */
export function dccpOption(type: number): Extension {
  if (!Number.isInteger(type) || type < 0 || type > 255) {
    throw new RangeError(`${type} is not a dccp option type: expected an integer from 0 to 255`);
  }
  return extension({ name: String(type), op: 'dccp option', type }, 0, [['type', 'integer', 0, 8]]);
}
