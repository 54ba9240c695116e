import 'uplot/dist/uPlot.min.css';
import './monitor.css';
import '../pathCard/pathCard.css';
import '../finish/finish.css';
import { startPage } from '../page/startPage.js';
import { Monitor } from './monitor.js';
import { host } from './pageState.js';

startPage(host, (root) => new Monitor(root));
