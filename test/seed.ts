/** Every property test draws from this seed unless it names its own: a failure here is a failure everywhere. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 20180618 });
