// The queues for Node that are compared. `peers.mjs NAME work` is a worker. `peers.mjs NAME client`
// runs the commands in its input, one a line: `apply 0`, `defer COUNT` or `trickle COUNT`. Each
// queue is used as its documentation recommends. BENCH_PACKAGES is the folder whose node_modules
// has them.

import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const { BENCH_FOLDER, BENCH_PACKAGES, BENCH_SLOTS = '16', BENCH_SECONDS = '0', DATABASE_URL } = process.env;
const require = createRequire(`${BENCH_PACKAGES}/`);
const slots = Number(BENCH_SLOTS);
const milliseconds = Number(BENCH_SECONDS) * 1000;
const APART = 30; // milliseconds between two jobs on an idle system

async function task({ id }) {
  appendFileSync(`${BENCH_FOLDER}/${process.pid}.begun`, `${id} ${process.hrtime.bigint()}\n`);
  if (milliseconds) await sleep(milliseconds);
}

class Graphile {
  /** `batched` chooses the options that its page on performance recommends for throughput. */
  constructor(batched) {
    this.worker = {
      connectionString: DATABASE_URL,
      concurrentJobs: slots,
      maxPoolSize: Math.min(slots + 1, 17),
      ...(batched && { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
    };
  }

  async open() {
    this.library = require('graphile-worker');
    this.utils = await this.library.makeWorkerUtils({ connectionString: DATABASE_URL });
  }

  apply() {
    return this.utils.migrate();
  }

  async defer(ids) {
    if (ids.length === 1) await this.utils.addJob('run', { id: ids[0] });
    else await this.utils.addJobs(ids.map((id) => ({ identifier: 'run', payload: { id } })));
  }

  async work() {
    const logger = new this.library.Logger(() => () => {});
    const runner = await this.library.run({ preset: { worker: { ...this.worker, logger } }, taskList: { run: task } });
    await runner.promise;
  }
}

class PgBoss {
  async open(isWorker) {
    const { PgBoss: Library } = require('pg-boss');
    this.boss = new Library({
      connectionString: DATABASE_URL,
      // Only a worker maintains the tables.
      ...(isWorker ? { useListenNotify: true } : { supervise: false, schedule: false }),
    });
    this.boss.on('error', console.error);
    await this.boss.start();
  }

  apply() {
    return this.boss.createQueue('run', { notify: true });
  }

  defer(ids) {
    return this.boss.insert('run', ids.map((id) => ({ data: { id } })));
  }

  async work() {
    const options = { batchSize: 10, localConcurrency: Math.min(slots, 100), burstWhenBatchFull: true };
    await this.boss.work('run', options, (jobs) => Promise.all(jobs.map(({ data }) => task(data))));
    await new Promise(() => {});
  }
}

const PEERS = {
  'graphile-worker': () => new Graphile(false),
  'graphile-worker-batched': () => new Graphile(true),
  'pg-boss': () => new PgBoss(),
};

async function trickle(count) {
  const sent = {};
  for (let number = 0; number < count; number++) {
    const id = randomUUID();
    await peer.defer([id]);
    sent[id] = Number(process.hrtime.bigint()); // exact for the first 104 days of uptime
    await sleep(APART);
  }
  return sent;
}

async function answer(verb, count) {
  if (verb === 'apply') await peer.apply();
  if (verb === 'defer') await peer.defer(Array.from({ length: count }, () => randomUUID()));
  return verb === 'trickle' ? trickle(count) : {};
}

const [name, role] = process.argv.slice(2);
const peer = PEERS[name]();
await peer.open(role === 'work');
if (role === 'work') await peer.work();
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, count] = line.split(' ');
  console.log(JSON.stringify(await answer(verb, Number(count))));
}
process.exit(0);
