/** What is hooked to devices: a chain or a flowtable. */
interface OnDevices {
  readonly dev?: string | readonly string[];
}

/** As it is after the kernel told what it is like: of one that was there, only the devices are told that come. */
export function joined<T extends OnDevices>(before: T | undefined, told: T): T {
  return withDevices(told, [...(before === undefined ? [] : devicesOf(before)), ...devicesOf(told)]);
}

/** As it is without the devices that the kernel told of. */
export function parted<T extends OnDevices>(before: T, told: T): T {
  const gone = devicesOf(told);
  return withDevices(
    before,
    devicesOf(before).filter((name) => !gone.includes(name)),
  );
}

function devicesOf({ dev }: OnDevices): readonly string[] {
  return dev === undefined ? [] : typeof dev === 'string' ? [dev] : dev;
}

/** In the form that a listing has them. */
function withDevices<T extends OnDevices>({ dev: _, ...rest }: T, devices: readonly string[]): T {
  const names = [...new Set(devices)];
  const dev = names.length > 1 ? names : names[0];
  return { ...rest, ...(dev === undefined ? {} : { dev }) } as T;
}
