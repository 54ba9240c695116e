import '../monitor/monitor.css';
import '../dataPage/dataPage.css';
import '../pathCard/pathCard.css';
import './sweep.css';
import type { FromSweepPage } from '../messages/sweep.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { SweepPage } from './sweepPage.js';

const host = acquireHost<FromSweepPage>();
startPage(host, (root) => new SweepPage(root, host.post));
