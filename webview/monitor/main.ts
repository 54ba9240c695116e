import 'uplot/dist/uPlot.min.css';
import './monitor.css';
import '../chart/pathCard.css';
import '../finish/finish.css';
import { listen, post } from '../page/host.js';
import { Monitor } from './monitor.js';

addEventListener('error', (event) => post({ type: 'failure', message: String(event.error?.stack ?? event.message) }));
addEventListener('unhandledrejection', (event) =>
  post({ type: 'failure', message: String(event.reason?.stack ?? event.reason) }),
);

const monitor = new Monitor(document.getElementById('page')!);
listen((message) => monitor.receive(message));
post({ type: 'ready' });
