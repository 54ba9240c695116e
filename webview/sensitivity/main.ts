import '../monitor/monitor.css';
import '../dataPage/dataPage.css';
import '../whatChanged/whatChanged.css';
import './sensitivity.css';
import type { FromSensitivityPage } from '../messages/sensitivity.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { SensitivityPage } from './page.js';

const host = acquireHost<FromSensitivityPage>();
startPage(host, (root) => new SensitivityPage(root, host.post));
