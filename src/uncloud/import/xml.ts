import { DOMParser, type Element } from '@xmldom/xmldom';
import { ImportError } from './imported.ts';

/** Parses an export. @throws ImportError where it is no well-formed XML */
export function parseXml(text: string): Element {
  const onError = (level: string, message: string) => {
    if (level !== 'warning') throw new ImportError(`not well-formed XML: ${message}`);
  };
  try {
    const root = new DOMParser({ onError }).parseFromString(text, 'text/xml').documentElement;
    if (root !== null) return root;
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`not well-formed XML: ${(error as Error).message}`, { cause: error });
  }
  throw new ImportError('no XML element');
}

/** The child elements of a name. */
export function children(parent: Element | undefined, name: string): Element[] {
  return [...(parent?.childNodes ?? [])].filter((node) => node.nodeName === name) as Element[];
}

/** The names of child elements that are none of those known, each once. */
export function strangers(parent: Element | undefined, known: readonly string[]): string[] {
  const names = [...(parent?.childNodes ?? [])].flatMap((node) =>
    node.nodeType === 1 ? [node.nodeName] : [],
  );
  return [...new Set(names)].filter((name) => !known.includes(name));
}

export function child(parent: Element | undefined, name: string): Element | undefined {
  return children(parent, name)[0];
}

/** What stands in a child element; nothing where it is absent or empty. */
export function textOf(parent: Element | undefined, name: string): string | undefined {
  return child(parent, name)?.textContent?.trim() || undefined;
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.getAttribute(name) || undefined;
}
