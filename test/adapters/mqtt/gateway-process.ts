// A process that says it is online and then waits to be killed.
import { mqttLink } from '../../../adapters/mqtt/client.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';

const url = process.argv[2];
if (url === undefined) throw new Error('usage: gateway-process <url of the broker>');
const link = mqttLink(
  {
    url,
    clientId: 'killed',
    username: 'site',
    password: 'right',
    will: { topic: 'f/S/online', payload: 'false' },
    commandTopics: [],
  },
  systemClock,
  recordingLog(),
);
link.start({
  connected: () => {
    link.publish('f/S/online', 'true', { qos: 1, retain: true }).catch((err: unknown) => {
      process.stderr.write(`${String(err)}\n`);
    });
  },
  disconnected: () => undefined,
  message: () => undefined,
});
