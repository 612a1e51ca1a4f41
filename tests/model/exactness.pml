/* Hubs, nodes and agents of one storage group, as promises 5 to 9 of the design have them. README.md explains.
 *
 * One process takes one step after the other, each of them atomic, in any order: a commit, a reply, a look. Times
 * are steps, so "settle has passed" reads "no late store is under way any more", and "quiesce has returned" reads
 * "nothing from the other node is still on its way". A node's number is its term's remainder: term 0 and 2 are
 * node 0's, 1 and 3 node 1's.
 *
 * Sizes and faults come from the command line: MESSAGES, FAILOVERS, LOST_REPLIES, HUB_CRASHES, WIPES, DELETIONS,
 * EVICTIONS, RESTORES, AGENT_CRASHES. Each BREAK_… takes one rule away.
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef FAILOVERS
#define FAILOVERS 1
#endif
#ifndef LOST_REPLIES
#define LOST_REPLIES 0
#endif
#ifndef HUB_CRASHES
#define HUB_CRASHES 0
#endif
#ifndef WIPES
#define WIPES 0
#endif
#ifndef DELETIONS
#define DELETIONS 0
#endif
#ifndef EVICTIONS
#define EVICTIONS 0
#endif
#ifndef RESTORES
#define RESTORES 0
#endif
#ifndef AGENT_CRASHES
#define AGENT_CRASHES 0
#endif

#define HUBS 2
#ifdef SAME_HUB /* all messages at hub 0 */
#define HUB(m) 0
#else
#define HUB(m) ((m) % HUBS)
#endif
#define OTHER(n) (1 - (n))
#define NODE(term) ((term) % 2)
#define OF(n, m) ((n) * MESSAGES + (m))
#define ON(n, h) ((n) * HUBS + (h))

#if MESSAGES == 2
#define ANY(what, h) (what(0, h) || what(1, h))
#define ANY_OF(what, n, h) (what(n, 0, h) || what(n, 1, h))
#else
#define ANY(what, h) (what(0, h) || what(1, h) || what(2, h))
#define ANY_OF(what, n, h) (what(n, 0, h) || what(n, 1, h) || what(n, 2, h))
#endif

/* --- a message at its hub: spool entry and line of the dumpster in one */
#define NONE 0      /* not accepted yet */
#define SPOOLED 1   /* acknowledged, never tried */
#define DELIVERED 2
#define IN_DOUBT 3
#define RESUBMITTING 4
#define ABSENT 5
#define GONE 6      /* evicted, or lost with the store */
byte state[MESSAGES];
byte line_term[MESSAGES]; /* of the line; its node is the term's */
byte line_time[MESSAGES];
byte attempt[MESSAGES];
bit ever[MESSAGES];       /* delivered once */
bit under_way[MESSAGES];  /* a transaction, of this term: */
byte way_term[MESSAGES];
bit reply[MESSAGES];      /* its 250 is on its way to the hub */

/* --- hubs */
bit hub_up[HUBS];
byte hub_term[HUBS];
bit recovered[HUBS];
byte last_time[HUBS];
byte covered_from[HUBS];

/* --- nodes */
bit node_up[2];
byte serving;              /* where the mailbox service runs: the other one takes no deliveries */
byte copies[2 * MESSAGES];
bit storing[2 * MESSAGES];     /* a server process that may still store it, its connection broken or not */
bit replicating[2 * MESSAGES]; /* on its way to this node from the other one */

/* --- agents */
#define IDLE 0
#define ACTIVATE 1
#define COMPARE 2
#define ORDER 3     /* decided and durable, not heard by the hub yet */
#define FOLLOW 4    /* the hub carries it out */
#define DONE 5
byte phase[2 * HUBS];
byte term[2];
bit listed[2 * HUBS];         /* promote has asked how far back the dumpster reaches */
bit looked[2];                /* promote has taken its inventory */
bit confirmed[2 * MESSAGES];
byte cursor[2 * HUBS];        /* all delivered before is confirmed */
#define DELIVER 1
#define PRESENT 2
byte decision[2 * MESSAGES];
byte decided_attempt[2 * MESSAGES];
byte until[2 * HUBS];

/* --- what the properties speak of */
#define MUST_STAY_AWAY 1
#define MAY_COME_BACK 2
byte deleted[MESSAGES];       /* by its reader */
bit seen[MESSAGES];           /* some agent has looked at it at some node */
bit admitted[MESSAGES];       /* a report said that it is not covered */

bit quiet; /* no more faults */
byte failovers, lost_replies, hub_crashes, wipes, deletions, evictions, restores, agent_crashes;
hidden byte i, j, k;

inline next_time(h, time) {
  last_time[h]++;
  time = last_time[h]
}

inline fall_in_doubt(m, in_term) {
  state[m] = IN_DOUBT;
  line_term[m] = in_term;
  next_time(HUB(m), line_time[m]);
  under_way[m] = 0;
  reply[m] = 0
}

inline no_agent_of(n) {
  phase[ON(n, 0)] = IDLE;
  phase[ON(n, 1)] = IDLE;
  for (j : 0 .. MESSAGES - 1) {
    decision[OF(n, j)] = 0;
    decided_attempt[OF(n, j)] = 0
  }
  skip
}

inline forget_store(n) {
  for (j : 0 .. MESSAGES - 1) {
    copies[OF(n, j)] = 0;
    storing[OF(n, j)] = 0;
    replicating[OF(n, j)] = 0;
#ifndef BREAK_MARKER
    confirmed[OF(n, j)] = 0
#endif
  }
#ifndef BREAK_MARKER
  cursor[ON(n, 0)] = 1;
  cursor[ON(n, 1)] = 1;
#endif
  skip
}

/* ---------------------------------------------------------------- delivery */

#define CAN_BEGIN(m) (hub_up[HUB(m)] && !under_way[m] && (state[m] == SPOOLED || state[m] == RESUBMITTING) && \
                      serving == NODE(hub_term[HUB(m)]) && node_up[serving])

inline delivery(m) {
  if
  :: atomic { state[m] == NONE && hub_up[HUB(m)] -> state[m] = SPOOLED }
  :: d_step { CAN_BEGIN(m) ->
       under_way[m] = 1; way_term[m] = hub_term[HUB(m)]; attempt[m]++; storing[OF(serving, m)] = 1 }
  :: d_step { under_way[m] && reply[m] && hub_up[HUB(m)] ->
       if
#ifndef BREAK_BARRIER
       :: way_term[m] != hub_term[HUB(m)] -> fall_in_doubt(m, way_term[m])
#endif
       :: else ->
          state[m] = DELIVERED; ever[m] = 1; line_term[m] = way_term[m]; next_time(HUB(m), line_time[m]);
          under_way[m] = 0; reply[m] = 0
       fi }
  /* The server process is gone, and no reply is on its way: the connection breaks. */
  :: d_step { under_way[m] && !reply[m] && !storing[OF(NODE(way_term[m]), m)] -> fall_in_doubt(m, way_term[m]) }
  :: d_step { under_way[m] && !quiet && lost_replies > 0 -> lost_replies--; fall_in_doubt(m, way_term[m]) }
#ifdef BREAK_CLOCK
  /* The clock has stepped back, and times follow it. */
  :: atomic { under_way[m] && reply[m] && hub_up[HUB(m)] && last_time[HUB(m)] > 0 ->
       state[m] = DELIVERED; ever[m] = 1; line_term[m] = way_term[m]; line_time[m] = last_time[HUB(m)];
       under_way[m] = 0; reply[m] = 0 }
#endif
  fi
}

/* Nothing twice: whatever a server stores is the first copy, and none that its reader has deleted. */
inline nothing_twice(n, m) {
  assert(copies[OF(n, m)] == 1);
  assert(deleted[m] != MUST_STAY_AWAY)
}

inline storage(n, m) {
  if
  :: d_step { storing[OF(n, m)] && node_up[n] ->
       storing[OF(n, m)] = 0; copies[OF(n, m)]++; nothing_twice(n, m);
       if
       :: under_way[m] && NODE(way_term[m]) == n -> reply[m] = 1
       :: else
       fi }
  /* Only a process whose connection has broken may end without having stored. */
  :: atomic { storing[OF(n, m)] && !(under_way[m] && NODE(way_term[m]) == n) -> storing[OF(n, m)] = 0 }
  :: atomic { serving == n && node_up[n] && node_up[OTHER(n)] && copies[OF(n, m)] > 0 &&
       copies[OF(OTHER(n), m)] == 0 && !replicating[OF(OTHER(n), m)] -> replicating[OF(OTHER(n), m)] = 1 }
  :: atomic { replicating[OF(n, m)] && node_up[n] -> replicating[OF(n, m)] = 0; copies[OF(n, m)] = 1 }
  :: atomic { replicating[OF(n, m)] && !node_up[OTHER(n)] -> replicating[OF(n, m)] = 0 }
  :: atomic { serving == n && node_up[n] && deleted[m] && copies[OF(n, m)] == 0 && copies[OF(OTHER(n), m)] > 0 ->
       copies[OF(OTHER(n), m)] = 0; replicating[OF(OTHER(n), m)] = 0 }
  fi
}

/* ---------------------------------------------------------------- the agent that watches */

/* What a listing says of its own reach: a window that begins before `covered_from` is not complete. */
inline admit(n, h) {
  for (i : 0 .. MESSAGES - 1) {
    if
    :: HUB(i) == h && state[i] == GONE && covered_from[h] > cursor[ON(n, h)] -> admitted[i] = 1
    :: else
    fi
  }
}

/* Passive: ticks off what has arrived, from the oldest that had not. A listing that was not complete is remembered: the
 * cursor moves on over the gap, and only the report can tell. */
#define LISTED(n, m, h) (HUB(m) == h && (state[m] == DELIVERED || state[m] == RESUBMITTING) && \
                         line_time[m] >= cursor[ON(n, h)])
#define ARRIVED(n, m, h) (LISTED(n, m, h) && copies[OF(n, m)] > 0 && !confirmed[OF(n, m)])
#define AT_CURSOR(n, m, h) (LISTED(n, m, h) && line_time[m] == cursor[ON(n, h)] && copies[OF(n, m)] == 0 && \
                            !confirmed[OF(n, m)])
/* Only looks that change something: otherwise no run would come to its end. */
#define HAS_NEWS(n, h) (last_time[h] >= cursor[ON(n, h)] && \
                        (ANY_OF(ARRIVED, n, h) || !ANY_OF(AT_CURSOR, n, h)))

inline watch_passive(n, h) {
  d_step { serving != n && node_up[n] && node_up[serving] && hub_up[h] && HAS_NEWS(n, h) ->
#ifndef BREAK_GAP_MEMORY
    admit(n, h);
#endif
    k = last_time[h] + 1;
    for (i : 0 .. MESSAGES - 1) {
      if
      :: LISTED(n, i, h) ->
         if
         :: copies[OF(n, i)] > 0 -> confirmed[OF(n, i)] = 1; seen[i] = 1
         :: copies[OF(n, i)] == 0 && !confirmed[OF(n, i)] && line_time[i] < k -> k = line_time[i]
         :: else
         fi
      :: else
      fi
    }
    cursor[ON(n, h)] = k }
}

/* Active: looks at its own mailboxes; what it had seen and has no more it reports as absent. */
inline watch_active(n, m) {
  if
  :: atomic { serving == n && node_up[n] && phase[ON(n, HUB(m))] == DONE && copies[OF(n, m)] > 0 &&
       !confirmed[OF(n, m)] && DELETIONS > 0 -> confirmed[OF(n, m)] = 1; seen[m] = 1 }
  :: atomic { serving == n && node_up[n] && phase[ON(n, HUB(m))] == DONE && hub_up[HUB(m)] &&
       hub_term[HUB(m)] == term[n] && state[m] == DELIVERED && copies[OF(n, m)] == 0 &&
       !storing[OF(n, m)] && (confirmed[OF(n, m)] || line_term[m] == term[n]) -> state[m] = ABSENT }
  fi
}

/* ---------------------------------------------------------------- promote */

inline choose_term(n) {
  /* The next above all that it has seen, with its own remainder. */
  k = term[n];
  for (i : 0 .. HUBS - 1) {
    if
    :: hub_up[i] && hub_term[i] > k -> k = hub_term[i]
    :: else
    fi
  }
  term[n] = k + 1 + (NODE(k + 1) != n)
}

inline promote(n) {
  d_step { serving != n && node_up[n] && !node_up[serving] && (hub_up[0] || hub_up[1]) ->
    serving = n;
    choose_term(n);
    looked[n] = 0;
    listed[ON(n, 0)] = 0;
    listed[ON(n, 1)] = 0;
    phase[ON(n, 0)] = ACTIVATE;
    phase[ON(n, 1)] = ACTIVATE;
    for (i : 0 .. MESSAGES - 1) {
      decision[OF(n, i)] = 0;
      if
      :: deleted[i] && copies[OF(n, i)] > 0 -> deleted[i] = MAY_COME_BACK  /* the store itself lags behind */
#ifdef LITERAL_DELETIONS
      :: deleted[i] && !seen[i] -> deleted[i] = MAY_COME_BACK
#else
      :: deleted[i] && copies[OF(n, i)] == 0 && !confirmed[OF(n, i)] && state[i] != ABSENT ->
         deleted[i] = MAY_COME_BACK
#endif
      :: else
      fi
    }
    skip }
}

#define SOMEBODY_HIGHER(n) ((hub_up[0] && hub_term[0] > term[n]) || (hub_up[1] && hub_term[1] > term[n]))

/* Running resubmissions of the older term end: what was delivered stands as that again, what never was is in doubt
 * again. */
inline end_resubmissions(h) {
  for (i : 0 .. MESSAGES - 1) {
    if
    :: HUB(i) == h && state[i] == RESUBMITTING && !under_way[i] ->
       if
       :: ever[i] -> state[i] = DELIVERED
       :: else -> state[i] = IN_DOUBT
       fi
    :: else
    fi
  }
}

inline break_off(h) {
  for (i : 0 .. MESSAGES - 1) {
    if
    :: HUB(i) == h && under_way[i] -> fall_in_doubt(i, way_term[i])
    :: else
    fi
  }
}

inline activation(n, h) {
  if
  :: d_step { node_up[n] && phase[ON(n, h)] == ACTIVATE && hub_up[h] && SOMEBODY_HIGHER(n) -> no_agent_of(n) }
  :: d_step { node_up[n] && phase[ON(n, h)] == ACTIVATE && hub_up[h] && !SOMEBODY_HIGHER(n) ->
       if
       :: hub_term[h] < term[n] ->
#ifndef BREAK_BARRIER
          break_off(h);
#endif
          end_resubmissions(h);
          hub_term[h] = term[n];
          recovered[h] = 0
       :: else
       fi;
       phase[ON(n, h)] = COMPARE }
  /* A hub that has forgotten the term hears it again. */
  :: atomic { node_up[n] && serving == n && phase[ON(n, h)] >= COMPARE && hub_up[h] && hub_term[h] < term[n] ->
       phase[ON(n, h)] = ACTIVATE }
  fi
}

/* The inventory that promote keeps, for hubs that come late, too: taken when nothing more arrives. */
#ifdef BREAK_QUIESCE
#define QUIET_INTAKE(n) 1
#elif MESSAGES == 2
#define QUIET_INTAKE(n) (!replicating[OF(n, 0)] && !replicating[OF(n, 1)])
#else
#define QUIET_INTAKE(n) (!replicating[OF(n, 0)] && !replicating[OF(n, 1)] && !replicating[OF(n, 2)])
#endif

inline take_inventory(n) {
  d_step { node_up[n] && serving == n && !looked[n] && (phase[ON(n, 0)] > 0 || phase[ON(n, 1)] > 0) && QUIET_INTAKE(n) ->
    looked[n] = 1;
#ifndef BREAK_KEPT_INVENTORY
    for (i : 0 .. MESSAGES - 1) {
      if
      :: copies[OF(n, i)] > 0 -> confirmed[OF(n, i)] = 1; seen[i] = 1
      :: else
      fi
    }
#endif
    skip
  }
}

/* No decision before `settle`: a server process may store after its connection broke. */
#ifdef BREAK_SETTLE
#define RIPE(m) 1
#else
#define RIPE(m) (!storing[OF(0, m)] && !storing[OF(1, m)])
#endif
#define IS_THERE(n, m) (copies[OF(n, m)] > 0 || confirmed[OF(n, m)])
#define IS_LOST(n, m) (state[m] == DELIVERED && line_term[m] != term[n] && \
                       line_time[m] >= cursor[ON(n, HUB(m))] && !IS_THERE(n, m))
#define DOUBTFUL(m, h) (HUB(m) == h && state[m] == IN_DOUBT)
#define TO_DECIDE(n, m, h) (HUB(m) == h && ((state[m] == IN_DOUBT && RIPE(m)) || IS_LOST(n, m)))
#define BUSY(m, h) (HUB(m) == h && state[m] == RESUBMITTING)

#ifdef BREAK_OMISSION
#define WORTH_AN_ORDER(n, h) 1
#else
#define WORTH_AN_ORDER(n, h) ANY_OF(TO_DECIDE, n, h)
#endif
#define AT_WORK(n, h) (node_up[n] && serving == n && hub_up[h] && hub_term[h] == term[n])

inline first_listing(n, h) {
  if
  :: !listed[ON(n, h)] -> listed[ON(n, h)] = 1; admit(n, h)
  :: else
  fi
}

inline compare(n, h) {
  if
  :: d_step { AT_WORK(n, h) && looked[n] && phase[ON(n, h)] == COMPARE && WORTH_AN_ORDER(n, h) ->
       first_listing(n, h);
       until[ON(n, h)] = last_time[h];
       for (i : 0 .. MESSAGES - 1) {
         decision[OF(n, i)] = (HUB(i) == h -> 0 : decision[OF(n, i)]);
         if
         :: TO_DECIDE(n, i, h) ->
            decision[OF(n, i)] = (IS_THERE(n, i) -> PRESENT : DELIVER);
            decided_attempt[OF(n, i)] = attempt[i]
         :: else
         fi
       }
       phase[ON(n, h)] = ORDER }
#ifndef BREAK_OMISSION
  :: d_step { AT_WORK(n, h) && looked[n] && phase[ON(n, h)] == COMPARE && !ANY_OF(TO_DECIDE, n, h) &&
       !ANY(DOUBTFUL, h) && !ANY(BUSY, h) -> first_listing(n, h); recovered[h] = 1; phase[ON(n, h)] = DONE }
#endif
  /* While active: what is in doubt is settled whenever it falls so. */
  :: atomic { AT_WORK(n, h) && phase[ON(n, h)] == DONE && ANY(DOUBTFUL, h) -> phase[ON(n, h)] = COMPARE }
  fi
}

/* The hub carries out what is named, if attempt and term are current. A request on its way arrives even when its node
 * is no more. */
#ifdef BREAK_EVIDENCE_TERM
#define CURRENT(n, h) 1
#else
#define CURRENT(n, h) (hub_term[h] == term[n])
#endif

inline carry_out(n, h) {
  if
  :: d_step { phase[ON(n, h)] == ORDER && hub_up[h] ->
       for (i : 0 .. MESSAGES - 1) {
         if
         :: HUB(i) == h && decision[OF(n, i)] && decided_attempt[OF(n, i)] == attempt[i] && CURRENT(n, h) ->
            if
            :: decision[OF(n, i)] == PRESENT && state[i] == IN_DOUBT ->
               state[i] = DELIVERED; ever[i] = 1; line_term[i] = hub_term[h]; next_time(h, line_time[i])
            :: decision[OF(n, i)] == DELIVER && (state[i] == IN_DOUBT || state[i] == DELIVERED) ->
               state[i] = RESUBMITTING
            :: else
            fi
#ifdef BREAK_OMISSION
         :: HUB(i) == h && decision[OF(n, i)] == 0 && state[i] == IN_DOUBT && line_time[i] <= until[ON(n, h)] ->
            state[i] = DELIVERED; ever[i] = 1; line_term[i] = hub_term[h]; next_time(h, line_time[i])
#endif
         :: else
         fi;
         decision[OF(n, i)] = (HUB(i) == h -> 0 : decision[OF(n, i)]);
         decided_attempt[OF(n, i)] = (HUB(i) == h -> 0 : decided_attempt[OF(n, i)])
       }
       until[ON(n, h)] = 0;
       phase[ON(n, h)] = FOLLOW }
  :: d_step { AT_WORK(n, h) && phase[ON(n, h)] == FOLLOW && !ANY(BUSY, h) ->
#ifdef BREAK_OMISSION
       if
       :: !ANY(DOUBTFUL, h) -> recovered[h] = 1; phase[ON(n, h)] = DONE
       :: else -> phase[ON(n, h)] = COMPARE
       fi
#else
       phase[ON(n, h)] = COMPARE
#endif
     }
  fi
}

/* ---------------------------------------------------------------- faults */

inline lose_node() {
  d_step { !quiet && failovers > 0 && node_up[serving] && node_up[OTHER(serving)] ->
    failovers--;
    node_up[serving] = 0;
    for (i : 0 .. MESSAGES - 1) { storing[OF(serving, i)] = 0 }
    skip }
}

/* An old active node comes back empty, with a new marker; its agent still has in mind what it had not finished. */
inline come_back(n) {
  d_step { serving != n && !node_up[n] ->
    node_up[n] = 1;
    forget_store(n) }
}

inline wipe(n) {
  d_step { !quiet && wipes > 0 && serving != n && node_up[n] -> wipes--; forget_store(n) }
}

inline crash_hub(h) {
  if
  :: d_step { !quiet && hub_crashes > 0 && hub_up[h] ->
       hub_crashes--;
       hub_up[h] = 0;
       for (i : 0 .. MESSAGES - 1) {
         if
         :: HUB(i) == h && (state[i] == SPOOLED || under_way[i]) ->
            if
            :: !under_way[i] -> attempt[i]++
            :: else
            fi;
            fall_in_doubt(i, hub_term[h])
         :: else
         fi
       }
       skip }
  :: atomic { !hub_up[h] -> hub_up[h] = 1 }
  fi
}

/* From a backup: what is in it is in doubt, what is not is lost, and the hub says so. The term may be an old one. */
inline restore_hub(h) {
  atomic { !quiet && restores > 0 && hub_up[h] ->
    restores--;
    if
    :: j = 1
    :: j = 0
    fi;
    if
    :: hub_term[h] = 0
    :: skip
    fi;
    d_step {
      for (i : 0 .. MESSAGES - 1) {
        if
        :: HUB(i) == h && state[i] != NONE && state[i] != GONE ->
           fall_in_doubt(i, hub_term[h]);
           attempt[i]++;
           if
           :: !j -> state[i] = GONE; admitted[i] = 1
           :: else
           fi;
           if
           :: deleted[i] && !confirmed[OF(serving, i)] -> deleted[i] = MAY_COME_BACK
           :: else
           fi
        :: else
        fi
      }
      recovered[h] = 1;
      covered_from[h] = last_time[h] + 1;
      j = 0
    } }
}

/* Retention. From an activation until `recovered` nothing of an older term leaves, and an accepted resubmission
 * pins what it names. */
#ifdef BREAK_PIN
#define EVICTABLE(m) (state[m] == DELIVERED || state[m] == ABSENT || (state[m] == RESUBMITTING && !under_way[m]))
#else
#define EVICTABLE(m) ((state[m] == DELIVERED || state[m] == ABSENT) && \
                      (recovered[HUB(m)] || line_term[m] == hub_term[HUB(m)]))
#endif

inline evict(m) {
  d_step { !quiet && evictions > 0 && hub_up[HUB(m)] && EVICTABLE(m) ->
    evictions--;
    state[m] = GONE;
    covered_from[HUB(m)] = line_time[m] + 1 }
}

inline crash_agent(n) {
  d_step { !quiet && agent_crashes > 0 && node_up[n] && (phase[ON(n, 0)] == ORDER || phase[ON(n, 1)] == ORDER) ->
    /* Killed behind its request: the answer is lost, the request is not: it is sent again under its key, which the
     * hub knows. Killed before: what it had decided is durable and goes out now. Neither is another step than
     * `carry_out`; what is lost is only what it knew beside. */
    agent_crashes--;
    looked[n] = 0 }
}

inline reader_deletes(m) {
  atomic { !quiet && deletions > 0 && node_up[serving] && copies[OF(serving, m)] == 1 ->
    deletions--;
    copies[OF(serving, m)] = 0;
    if
#ifdef LITERAL_DELETIONS
    :: seen[m] -> deleted[m] = MUST_STAY_AWAY
#else
    :: confirmed[OF(serving, m)] || (confirmed[OF(OTHER(serving), m)] && state[m] == DELIVERED &&
                                     line_term[m] == term[serving]) -> deleted[m] = MUST_STAY_AWAY
#endif
    :: else -> deleted[m] = MAY_COME_BACK
    fi }
}

/* ---------------------------------------------------------------- at the end */

inline nothing_missing(m) {
  /* Settled, and there, unless its reader has deleted it or a report has said that it is not covered. */
  assert(state[m] == DELIVERED || state[m] == ABSENT || state[m] == GONE);
  assert(copies[OF(serving, m)] == 1 || deleted[m] || admitted[m])
}

inline no_late_claim(h) {
  assert(hub_term[h] == term[serving] && NODE(hub_term[h]) == serving)
}

init {
  d_step {
    for (i : 0 .. HUBS - 1) {
      hub_up[i] = 1;
      recovered[i] = 1;
      node_up[i] = 1;
      phase[ON(0, i)] = DONE;
      cursor[ON(0, i)] = 1;
      cursor[ON(1, i)] = 1
    }
    looked[0] = 1;
    listed[ON(0, 0)] = 1;
    listed[ON(0, 1)] = 1;
    failovers = FAILOVERS; lost_replies = LOST_REPLIES; hub_crashes = HUB_CRASHES; wipes = WIPES;
    deletions = DELETIONS; evictions = EVICTIONS; restores = RESTORES; agent_crashes = AGENT_CRASHES;
    i = 0
  }
  do
  :: delivery(0)
  :: delivery(1)
  :: storage(0, 0)
  :: storage(0, 1)
  :: storage(1, 0)
  :: storage(1, 1)
  :: watch_active(0, 0)
  :: watch_active(0, 1)
  :: watch_active(1, 0)
  :: watch_active(1, 1)
  :: evict(0)
  :: evict(1)
  :: reader_deletes(0)
  :: reader_deletes(1)
#if MESSAGES == 3
  :: delivery(2)
  :: storage(0, 2)
  :: storage(1, 2)
  :: watch_active(0, 2)
  :: watch_active(1, 2)
  :: evict(2)
  :: reader_deletes(2)
#endif
  :: watch_passive(0, 0)
  :: watch_passive(0, 1)
  :: watch_passive(1, 0)
  :: watch_passive(1, 1)
  :: promote(0)
  :: promote(1)
  :: take_inventory(0)
  :: take_inventory(1)
  :: activation(0, 0)
  :: activation(0, 1)
  :: activation(1, 0)
  :: activation(1, 1)
  :: compare(0, 0)
  :: compare(0, 1)
  :: compare(1, 0)
  :: compare(1, 1)
  :: carry_out(0, 0)
  :: carry_out(0, 1)
  :: carry_out(1, 0)
  :: carry_out(1, 1)
  :: lose_node()
  :: come_back(0)
  :: come_back(1)
  :: wipe(0)
  :: wipe(1)
  :: crash_hub(0)
  :: crash_hub(1)
  :: restore_hub(0)
  :: restore_hub(1)
  :: crash_agent(0)
  :: crash_agent(1)
  :: atomic { !quiet -> quiet = 1 }
  :: timeout -> break
  od;
  skip;
  d_step {
    for (i : 0 .. MESSAGES - 1) { nothing_missing(i) }
    for (i : 0 .. HUBS - 1) { no_late_claim(i) }
    skip
  }
}
