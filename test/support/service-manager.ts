import { spawn } from 'node:child_process';

/** What was said in one datagram, and by whom. */
export interface Notification {
  readonly pid: number;
  readonly state: Readonly<Record<string, string>>;
}

/** Listens as systemd does at NOTIFY_SOCKET; disposing ends it. */
export interface ServiceManager extends AsyncDisposable {
  readonly told: readonly Notification[];
  /** Waits until something was told that is so, and returns it. */
  until(isIt: (told: Notification) => boolean): Promise<Notification>;
}

/** Node has no datagram sockets on Unix; Python has, and tells the sender's pid. */
const LISTENER = `
import json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
address = sys.argv[1]
s.bind('\\0' + address[1:] if address[0] == '@' else address)
if address[0] != '@': os.chmod(address, 0o777)
print('{}', flush=True)
while True:
    data, control, _, _ = s.recvmsg(65536, 1024)
    pid = next(struct.unpack('3i', d)[0] for l, t, d in control if t == socket.SCM_CREDENTIALS)
    state = dict(line.split('=', 1) for line in data.decode().split('\\n'))
    print(json.dumps({'pid': pid, 'state': state}), flush=True)
`;

/** Begins to listen at an address: a path, or `@` and an abstract name. */
export async function listenAsServiceManager(address: string): Promise<ServiceManager> {
  const child = spawn('python3', ['-c', LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const told: Notification[] = [];
  const waiting = new Set<() => void>();
  let text = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('exit', () => reject(new Error('the listener ended')));
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const lines = text.split('\n');
      text = lines.pop() as string;
      for (const line of lines) {
        if (line === '{}') resolve();
        else told.push(JSON.parse(line) as Notification);
      }
      for (const look of waiting) look();
    });
  });
  await ready;
  return {
    told,
    until(isIt) {
      return new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const look = () => {
          const found = told.find(isIt);
          if (found === undefined) return;
          end();
          resolve(found);
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`not told in time: ${JSON.stringify(told)}`));
        }, 30_000);
        waiting.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
