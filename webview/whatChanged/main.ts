import '../monitor/monitor.css';
import '../dataPage/dataPage.css';
import './whatChanged.css';
import type { FromChangedPage, ToChangedPage } from '../messages/changed.js';
import { WhatChangedPage } from './page.js';

declare function acquireVsCodeApi(): { postMessage(message: FromChangedPage): void };
const api = acquireVsCodeApi();
const post = (message: FromChangedPage): void => api.postMessage(message);

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));

const page = new WhatChangedPage(document.getElementById('page')!, post);
addEventListener('message', (event: MessageEvent<ToChangedPage>) => {
  if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data);
});
post({ type: 'ready' });
