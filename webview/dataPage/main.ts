import '../monitor/monitor.css';
import './dataPage.css';
import type { FromDataPage, ToDataPage } from '../messages/data.js';
import { DataPage } from './dataPage.js';

declare function acquireVsCodeApi(): { postMessage(message: FromDataPage): void };
const api = acquireVsCodeApi();
const post = (message: FromDataPage): void => api.postMessage(message);

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));

const page = new DataPage(document.getElementById('page')!, post);
addEventListener('message', (event: MessageEvent<ToDataPage>) => {
  if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data);
});
post({ type: 'ready' });
