import { type Address, forward } from './forwarder.ts';

/** `forward.ts LISTEN SERVER…`, each as ADDRESS:PORT: the process that is the way to several API servers. */
const [listen, ...servers] = process.argv.slice(2).map((text): Address => {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
});
if (listen === undefined) throw new Error('where to listen?');
await forward({ listen, servers, say: (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`) });
