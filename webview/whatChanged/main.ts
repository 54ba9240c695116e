import '../monitor/monitor.css';
import '../dataPage/dataPage.css';
import './whatChanged.css';
import type { FromChangedPage } from '../messages/changed.js';
import { acquireHost, startPage } from '../page/startPage.js';
import { WhatChangedPage } from './page.js';

const host = acquireHost<FromChangedPage>();
startPage(host, (root) => new WhatChangedPage(root, host.post));
