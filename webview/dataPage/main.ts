import '../monitor/monitor.css';
import './dataPage.css';
import type { FromDataPage } from '../messages/data.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { DataPage } from './dataPage.js';

const host = acquireHost<FromDataPage>();
startPage(host, (root) => new DataPage(root, host.post));
