import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** What a child may be told: TERM ends it in order, STOP makes it silent while its sockets stay open, CONT wakes it. */
export type Signal = 'TERM' | 'KILL' | 'STOP' | 'CONT';

/** A process that cannot outlive this one. */
export type Child = {
  readonly name: string;
  readonly logFile: string;
  /** Resolves with the exit code; never rejects. */
  readonly exited: Promise<number>;
  alive(): boolean;
  signal(signal: Signal): void;
  /** Ends it and waits until it is gone; KILL unless told otherwise. */
  end(signal?: 'KILL' | 'TERM'): Promise<void>;
};

/** How a child is started. */
export type ChildOptions = {
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/**
 * The child runs under a shell that reads signal names from a pipe. A pipe is the one thing that closes however this process
 * ends, SIGKILL included; at its end the shell kills the child. `exec 3<&0`: a background job of a shell has no stdin.
 */
const WATCHDOG = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
(while read -r signal; do kill -s "$signal" "$child"; done; kill -s KILL "$child") <&3 2>/dev/null &
reader=$!
wait "$child"
code=$?
kill "$reader" 2>/dev/null
exit "$code"`;

/** After the end of this process: waits for the others to be killed, then removes the directory. */
const JANITOR = `read -r _
tries=0
while [ -e "$1" ] && [ "$tries" -lt 50 ]; do rm -rf "$1" 2>/dev/null || sleep 0.1; tries=$((tries + 1)); done`;

/** Starts a process that is killed when this one ends, however it ends. */
export function startChild(name: string, command: string, args: readonly string[], options: ChildOptions): Child {
  const log = openSync(options.logFile, 'a');
  // A session of its own: Ctrl-C in a terminal would otherwise end etcd before the API server.
  const shell = spawn('/bin/sh', ['-c', WATCHDOG, name, command, ...args], {
    detached: true,
    stdio: ['pipe', log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  closeSync(log);
  return childOf(shell, name, options.logFile);
}

function childOf(shell: ChildProcess, name: string, logFile: string): Child {
  let running = true;
  const exited = new Promise<number>((resolve) => {
    const done = (code: number) => {
      running = false;
      resolve(code);
    };
    shell.once('error', () => done(127));
    shell.once('exit', (code) => done(code ?? 137));
  });
  // EPIPE: the child ended in the moment in which it was told something.
  shell.stdin?.on('error', () => {});
  shell.unref();
  return {
    name,
    logFile,
    exited,
    alive: () => running,
    signal: (signal) => void shell.stdin?.write(`${signal}\n`),
    end: async (signal = 'KILL') => {
      // Nothing else may hold this process while it waits.
      shell.ref();
      shell.stdin?.write(`${signal}\n`);
      await exited;
      shell.stdin?.destroy();
    },
  };
}

/** Removes a directory when this process has ended without doing so. */
export function removeAtEnd(directory: string): void {
  const janitor = spawn('/bin/sh', ['-c', JANITOR, 'janitor', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  janitor.stdin?.on('error', () => {});
  janitor.unref();
}

/** The last lines of a log, for an error message. */
export function tail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}
