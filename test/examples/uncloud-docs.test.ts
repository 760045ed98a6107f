import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { apply, completed, factsOf, parseHost, parsePolicy } from '../../src/uncloud/index.ts';
import { nftjs, withFiles } from '../support/cli.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

// Every example of docs/uncloud.md: JSON is put in force, commands and programs run.

interface Example {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

const markdown = readFileSync(new URL('../../docs/uncloud.md', import.meta.url), 'utf8');

const examples: readonly Example[] = [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
  ({ 1: language = '', 2: text = '', index, input }) => ({
    language,
    text,
    line: input.slice(0, index).split('\n').length,
  }),
);

/** Code in the text and in tables. */
const inline = [...markdown.replace(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(
  ([, text = '']) => text,
);

const inLanguage = (language: string) => examples.filter((example) => example.language === language);
const json = inLanguage('json').map(({ text, line }) => ({ value: JSON.parse(text), line }));
const hosts = json.filter(({ value }) => 'bridges' in value);
const policies = json.filter(({ value }) => !('bridges' in value));
const [firstHost, firstPolicy] = [hosts[0]?.value, policies[0]?.value];

/** Runs one line of a shell, where the commands' files are and where rules may be. */
async function command(line: string, { netns, run }: Kernel, file: (name: string) => string): Promise<void> {
  const words = line.replace(/\s+#.*/, '').split(/\s+/);
  const [program, ...args] = words.map((word) => (word.endsWith('.json') ? file(word) : word));
  if (program === 'nft') run('sh', ['-ec', line]);
  else if (program === 'nftjs') {
    const { code, err } = await nftjs([...args, '--netns', netns]);
    assert.equal(code, 0, `${line}: ${err}`);
  } else assert.fail(`${line}: no test knows how to run ${program}`);
}

test('the page has examples of each kind, and no other', () => {
  assert.ok(hosts.length >= 1 && policies.length >= 8);
  for (const language of ['sh', 'ts']) assert.ok(inLanguage(language).length > 0, language);
  assert.deepEqual(new Set(examples.map(({ language }) => language)), new Set(['json', 'sh', 'ts', '']));
});

test('rules in tables are rules', () => {
  const host = parseHost(firstHost);
  const whole = inline
    .filter((text) => text.startsWith('{ "direction"') && !text.includes('…'))
    .map((text) => JSON.parse(text));
  const matches = inline
    .filter((text) => text.startsWith('"match": {'))
    .map((text) => ({ direction: 'out', action: 'drop', ...JSON.parse(`{${text}}`) }));
  assert.ok(whole.length >= 3 && matches.length >= 2);
  const { problems } = parsePolicy(
    { groups: { lb: { members: [] }, all: { rules: whole } }, filters: { all: { rules: matches } } },
    { host },
  );
  assert.deepEqual(problems, []);
});

test('commands that prove a claim name files and variables that there are', () => {
  const commands = inline.filter((text) => text.includes('node --import tsx --test '));
  assert.ok(commands.length >= 5);
  for (const text of commands) {
    const path = text.slice(text.lastIndexOf(' ') + 1);
    const directory = new URL(`../../${path.slice(0, path.lastIndexOf('/') + 1)}`, import.meta.url);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const files = readdirSync(directory).filter((file) =>
      name.startsWith('*') ? file.endsWith(name.slice(1)) : file === name,
    );
    assert.ok(files.length > 0, path);
    const sources = readdirSync(directory)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(file, directory), 'utf8'));
    const seed = readFileSync(new URL('../support/seed.ts', import.meta.url), 'utf8');
    for (const [variable] of text.matchAll(/NFTJS_\w+/g))
      assert.ok(
        [...sources, seed].some((source) => source.includes(variable)),
        `${path}: ${variable}`,
      );
  }
});

suite('docs/uncloud.md', requires('root', 'netns', 'nft'), () => {
  for (const { value, line } of policies) {
    test(`line ${line}: the policy is valid, goes in force, and is there`, () =>
      withKernel(async ({ nft }) => {
        const facts = await factsOf(nft);
        const host = completed(parseHost(firstHost), facts);
        const { policy, problems } = parsePolicy(value, { host });
        assert.deepEqual(problems, []);
        const { changed } = await apply(nft, { host, policy, facts });
        assert.ok(changed);
        assert.deepEqual((await apply(nft, { host, policy, facts })).transaction.nftables, []);
      }));
  }

  for (const { value, line } of hosts) {
    test(`line ${line}: the host is valid`, () => {
      assert.ok(Object.keys(parseHost(value).bridges).length > 0);
    });
  }

  test('the commands run one after the other', () =>
    withKernel((kernel) =>
      withFiles(async (write) => {
        const files = new Map([
          ['host.json', write('host.json', firstHost)],
          ['policy.json', write('policy.json', firstPolicy)],
        ]);
        const file = (name: string) => files.get(name) ?? name;
        for (const { text } of inLanguage('sh'))
          for (const line of text.trim().split('\n')) await command(line, kernel, file);
        // What is the administrator's survives another apply.
        await command('nftjs uncloud apply --host host.json --policy policy.json', kernel, file);
        assert.match(kernel.text(), /chain custom_before \{[^}]*ether saddr 02:00:00:00:00:66 counter/);
      }),
    ));

  for (const { text, line } of inLanguage('ts')) {
    test(`line ${line}: the program runs`, () =>
      withKernel((kernel) =>
        withFiles((write) => {
          const source = (path: string) => `'${new URL(`../../src/${path}`, import.meta.url)}'`;
          const program = text
            .replace("'nftjs/uncloud'", source('uncloud/index.ts'))
            .replace("'nftjs'", source('index.ts'));
          kernel.run(process.execPath, [
            '--import',
            import.meta.resolve('tsx'),
            write('example.mts', program),
          ]);
          assert.match(kernel.text(), /table (bridge|inet) uncloud/);
        }),
      ));
  }

  test('a record that is refused is reported as the page has it', () =>
    withFiles(async (write) => {
      const said = inLanguage('').find(({ text }) => text.startsWith('uncloud: refused'));
      assert.ok(said);
      const [nic] = firstPolicy.vms['343a'].nics;
      const thief = { ...nic, ifname: 'v343c-0', ipv4: ['10.0.0.3/32'], ipv6: [] };
      const policy = { vms: { ...firstPolicy.vms, '343c': { nics: [thief] } } };
      const { err } = await nftjs([
        ...['uncloud', 'render', '--host', write('host.json', firstHost)],
        ...['--policy', write('policy.json', policy)],
      ]);
      for (const line of said.text.trim().split('\n'))
        assert.ok(err.split('\n').includes(line), `${line}\n${err}`);
    }));
});
