import { layOutMachines } from './machines.ts';

// A process that has a machine, and is killed by whoever started it.
const { all } = await layOutMachines(['w9']);
for (const machine of all) await machine.boot();
process.stdout.write('booted\n');
setInterval(() => {}, 60_000);
