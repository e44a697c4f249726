// Runs before everything else, also on a Node of ten years ago: so it is written in the JavaScript of that time.
var NEEDED = 26;
var running = process.versions.node;

if (Number(running.split('.')[0]) < NEEDED) {
  process.stderr.write(
    'Drydock needs Node ' +
      NEEDED +
      ' and this is ' +
      running +
      ': either run `npm ci` again, which brings Node ' +
      NEEDED +
      ' as an optional package and has skipped it (a registry without it, or --omit=optional), or install Node ' +
      NEEDED +
      ' yourself and run `npm ci --omit=optional`.\n',
  );
  process.exit(1);
}
