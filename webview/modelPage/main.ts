import '../monitor/monitor.css';
import './modelPage.css';
import type { FromModelPage } from '../messages/model.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { ModelPage } from './modelPage.js';

const host = acquireHost<FromModelPage>();
startPage(host, (root) => new ModelPage(root, host.post));
