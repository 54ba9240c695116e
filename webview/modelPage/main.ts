import '../monitor/monitor.css';
import './modelPage.css';
import type { FromModelPage, ToModelPage } from '../messages/model.js';
import { ModelPage } from './modelPage.js';

declare function acquireVsCodeApi(): { postMessage(message: FromModelPage): void };
const api = acquireVsCodeApi();
const post = (message: FromModelPage): void => api.postMessage(message);

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));

const page = new ModelPage(document.getElementById('page')!, post);
addEventListener('message', (event: MessageEvent<ToModelPage>) => {
  if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data);
});
post({ type: 'ready' });
