import '../monitor/monitor.css';
import './runsTable.css';
import './cells.css';
import type { FromRunsTable } from '../messages/runs.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { RunsPage, type TableState } from './runsPage.js';

const host = acquireHost<FromRunsTable, TableState>();
startPage(
  host,
  (root) =>
    new RunsPage(root, {
      post: host.post,
      state: () => host.state() ?? {},
      remember: host.remember,
    }),
);
