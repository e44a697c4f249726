// A client as it is first written: lists everything, page after page, and keeps the objects as they came.
const { readFileSync } = require('node:fs');
const { Agent, get } = require('node:https');

const [server, token, caFile] = process.argv.slice(2);
const agent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
const kept = [];

function fetched(path) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    get(`${server}${path}`, { agent, headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
      answer.on('error', reject);
    }).on('error', reject);
  });
}

async function listed(path) {
  for (let token = ''; ; ) {
    const { items, metadata } = await fetched(`${path}?limit=500${token === '' ? '' : `&continue=${token}`}`);
    kept.push(...items);
    token = metadata.continue ?? '';
    if (token === '') return;
  }
}

async function all() {
  const from = performance.now();
  for (const path of ['/api/v1/nodes', '/api/v1/pods', '/apis/policy/v1/poddisruptionbudgets']) await listed(path);
  process.stdout.write(`listed ${kept.length} ${((performance.now() - from) / 1000).toFixed(2)}\n`);
  setInterval(() => kept.length, 1_000_000);
}

void all();
