import { layOutMachines } from './machines.ts';

// A process that has a machine and an endpoint, and is killed by whoever started it.
const machines = await layOutMachines(['w9']);
for (const machine of machines.all) await machine.boot();
await machines.forwardTo(machines.all);
process.stdout.write('booted\n');
setInterval(() => {}, 60_000);
