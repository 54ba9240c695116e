import '../monitor/monitor.css';
import '../dataPage/dataPage.css';
import '../whatChanged/whatChanged.css';
import './sensitivity.css';
import type { FromSensitivityPage, ToSensitivityPage } from '../messages/sensitivity.js';
import { SensitivityPage } from './page.js';

declare function acquireVsCodeApi(): { postMessage(message: FromSensitivityPage): void };
const api = acquireVsCodeApi();
const post = (message: FromSensitivityPage): void => api.postMessage(message);

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));

const page = new SensitivityPage(document.getElementById('page')!, post);
addEventListener('message', (event: MessageEvent<ToSensitivityPage>) => {
  if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data);
});
post({ type: 'ready' });
