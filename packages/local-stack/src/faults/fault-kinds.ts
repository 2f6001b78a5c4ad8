/** Faults around the system, each with how it shows. */
export const FAULTS = {
  database_refused: 'a call of the database is cut off before it is made',
  database_unavailable: 'a call of the database is answered with 503',
  database_hung: 'a call of the database is never made and never answered',
  database_answer_lost: 'a call of the database is made, its answer is cut off',
  database_call_late: 'a call of the database is made long after its caller gave up',
  r2_refused: 'an operation of the bucket fails',
  r2_answer_lost: 'an operation of the bucket is done, and fails for its caller',
  r2_slow: 'an operation of the bucket takes seconds',
  r2_body_broken: 'the body of an object breaks off in the middle',
  message_dropped: 'the queue loses a message',
  message_late: 'the queue delivers a message seconds late',
  message_twice: 'the queue delivers a message twice at once',
  message_again: 'the queue delivers a message again, long after it was done',
  send_refused: 'the queue does not take a message',
  send_answer_lost: 'the queue takes a message, and fails for its sender',
  step_result_lost: 'a step of the Workflow is done, its result is lost',
  step_twice: 'a step of the Workflow runs twice at once',
  instance_hung: 'an instance of the Workflow says that it runs, and does nothing',
  tree_killed: 'SIGKILL to the stack, the database and the Workers',
  tree_killed_starting: 'SIGKILL to all of them while they start',
  database_killed: 'SIGKILL to the database',
  workers_killed: 'SIGKILL to the Workers',
  clock_jumped: 'time passes for the database: leases, locks and pauses run out',
  attempt_taken_over: 'a running attempt is taken for dead, and a new one starts beside it',
  catalog_set_back: 'the database is set back to an older copy, under load',
  catalog_new: 'a new database stands beside the old bucket',
  merge_ended: 'an attempt that merges is taken for dead, as if the merge had ended its instance',
} as const

export type FaultKind = keyof typeof FAULTS
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[]
