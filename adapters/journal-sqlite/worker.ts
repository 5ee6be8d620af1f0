// The worker thread that owns the database: it may wait for the disk, the event loop may not.
import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf, type WorkerReady, type WorkerReply, type WorkerRequest, type WorkerStart } from './protocol.js';
import { Store } from './store.js';

const port = parentPort;
if (port === null) throw new Error('the journal worker runs as a worker thread only');
try {
  const store = new Store(workerData as WorkerStart);
  port.on('message', (request: WorkerRequest) => {
    let reply: WorkerReply;
    try {
      reply = store.answer(request);
    } catch (error) {
      reply = { id: request.id, ...reasonOf(error) };
    }
    port.postMessage(reply);
    if (request.type === 'close') port.close();
    else store.rest();
  });
  port.postMessage({
    ready: true,
    lastSeq: store.lastSeq,
    space: store.space(),
    ...(store.salvage && { salvage: store.salvage }),
  } satisfies WorkerReady);
} catch (error) {
  port.postMessage({ ready: false, ...reasonOf(error) } satisfies WorkerReady);
  port.close();
}
