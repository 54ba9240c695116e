import '../monitor/monitor.css';
import './runsTable.css';
import type { FromRunsTable, ToRunsTable } from '../messages/runs.js';
import { RunsPage, type TableState } from './runsPage.js';

declare function acquireVsCodeApi(): {
  postMessage(message: FromRunsTable): void;
  getState(): TableState | undefined;
  setState(state: TableState): void;
};
const api = acquireVsCodeApi();
const post = (message: FromRunsTable): void => api.postMessage(message);

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));

const page = new RunsPage(document.getElementById('page')!, {
  post,
  state: () => api.getState() ?? {},
  remember: (state) => api.setState(state),
});
addEventListener('message', (event: MessageEvent<ToRunsTable>) => {
  if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data);
});
post({ type: 'ready' });
