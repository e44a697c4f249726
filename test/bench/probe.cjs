// Loaded before a process that is measured: answers its parent how it is, and ends with it.
const { monitorEventLoopDelay } = require('node:perf_hooks');

const RESOLUTION_MS = 5;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

process.on('message', (asked) => {
  const { user, system } = process.cpuUsage();
  // What the histogram holds is the time from one tick to the next, which is the resolution where nothing is in the way.
  const stallMs = Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  delays.reset();
  // The ticks themselves cost what an idle process is measured by.
  if (asked === 'rest') delays.disable();
  const { rss, heapUsed } = process.memoryUsage();
  process.send({ rss, heapUsed, cpuMs: (user + system) / 1000, stallMs });
});
process.on('disconnect', () => process.exit(0));
process.channel.unref();
