"""Step-up in `control`: every function acts for the person of a live session, on the database's own clock.

A try is counted before it is looked at, under the row's lock: a thousand guesses at once are as many as one after the
other. No function gives a secret or a code back in clear.
"""

from __future__ import annotations

from tenants.metadata import control_function

_ME = """me AS (
    SELECT s.token_hash, s.person_id, s.stepped_up_at, s.stepped_up_by,
        EXISTS (SELECT FROM control.authenticator a
                WHERE a.person_id = s.person_id AND a.sealed IS NOT NULL) AS enrolled
    FROM control.session s
    WHERE s.token_hash = p_token_hash AND s.organisation_id = p_organisation AND s.ended_at IS NULL
      AND s.expires_at > now())"""
# Who has an authenticator proves nothing by the mailbox: else the mailbox alone could replace the authenticator.
_PROVED = "me.stepped_up_at > now() - p_fresh AND (me.stepped_up_by = 'authenticator' OR NOT me.enrolled)"
_SESSION = "p_token_hash bytea, p_organisation uuid"

control_function(
    "send_mailed_code",
    arguments=f"{_SESSION}, p_code_hash bytea, p_lifetime interval, p_most int",
    returns="TABLE (person_id uuid, email text, name text, locale text)",
    body=f"""
    WITH {_ME}, sent AS (
        INSERT INTO control.mailed_code AS c (session_hash, code_hash, sent, since, expires_at, tries)
        SELECT me.token_hash, p_code_hash, 1, now(), now() + p_lifetime, 0 FROM me WHERE NOT me.enrolled
        ON CONFLICT (session_hash) DO UPDATE SET code_hash = p_code_hash, tries = 0, expires_at = now() + p_lifetime,
            sent = CASE WHEN c.since < now() - interval '1 hour' THEN 1 ELSE c.sent + 1 END,
            since = CASE WHEN c.since < now() - interval '1 hour' THEN now() ELSE c.since END
        WHERE c.sent < p_most OR c.since < now() - interval '1 hour'
        RETURNING 1)
    SELECT p.id, p.email, p.name, p.locale FROM me JOIN control.person p ON p.id = me.person_id, sent""",  # noqa: S608 - constants above
)
control_function(
    "use_mailed_code",
    arguments=f"{_SESSION}, p_code_hash bytea, p_tries int",
    returns="boolean",
    body=f"""
    WITH {_ME}, tried AS (
        UPDATE control.mailed_code c SET tries = c.tries + 1,
            expires_at = CASE WHEN c.code_hash = p_code_hash THEN now() ELSE c.expires_at END
        FROM me WHERE c.session_hash = me.token_hash AND NOT me.enrolled AND c.tries < p_tries AND c.expires_at > now()
        RETURNING c.code_hash = p_code_hash AS fits),
    proved AS (
        UPDATE control.session s SET stepped_up_at = now(), stepped_up_by = 'mailbox'
        FROM me, tried WHERE s.token_hash = me.token_hash AND tried.fits RETURNING 1)
    SELECT EXISTS (SELECT FROM proved)""",  # noqa: S608 - constants above
)
control_function(
    "try_authenticator",
    arguments=f"{_SESSION}, p_most int, p_lock interval",
    returns="TABLE (person_id uuid, sealed bytea, waiting bytea, last_step bigint)",
    body=f"""
    WITH {_ME}
    UPDATE control.authenticator a SET
        failures = CASE WHEN a.locked_until IS NOT NULL THEN 1 ELSE a.failures + 1 END,
        locked_until = CASE WHEN a.locked_until IS NULL AND a.failures + 1 >= p_most THEN now() + p_lock END
    FROM me WHERE a.person_id = me.person_id AND (a.locked_until IS NULL OR a.locked_until < now())
    RETURNING a.person_id, a.sealed, a.waiting, a.last_step::bigint""",  # noqa: S608 - constants above
)
control_function(
    "use_authenticator",
    arguments=f"{_SESSION}, p_step bigint",
    returns="boolean",
    body=f"""
    WITH {_ME}, used AS (
        UPDATE control.authenticator a SET last_step = p_step, failures = 0, locked_until = NULL
        FROM me WHERE a.person_id = me.person_id AND a.sealed IS NOT NULL
          AND (a.last_step IS NULL OR a.last_step < p_step) RETURNING 1),
    proved AS (
        UPDATE control.session s SET stepped_up_at = now(), stepped_up_by = 'authenticator'
        FROM me, used WHERE s.token_hash = me.token_hash RETURNING 1)
    SELECT EXISTS (SELECT FROM proved)""",  # noqa: S608 - constants above
)
control_function(
    "use_recovery_code",
    arguments=f"{_SESSION}, p_code_hash bytea",
    returns="boolean",
    body=f"""
    WITH {_ME}, used AS (
        UPDATE control.recovery_code r SET used_at = now() FROM me
        WHERE r.person_id = me.person_id AND r.code_hash = p_code_hash AND r.used_at IS NULL RETURNING 1),
    unlocked AS (
        UPDATE control.authenticator a SET failures = 0, locked_until = NULL
        FROM me, used WHERE a.person_id = me.person_id),
    proved AS (
        UPDATE control.session s SET stepped_up_at = now(), stepped_up_by = 'authenticator'
        FROM me, used WHERE s.token_hash = me.token_hash RETURNING 1)
    SELECT EXISTS (SELECT FROM proved)""",  # noqa: S608 - constants above
)
# A new secret waits beside the old one until its first code has come: who stops half-way keeps what they had.
control_function(
    "prepare_authenticator",
    arguments=f"{_SESSION}, p_sealed bytea, p_fresh interval",
    returns="boolean",
    body=f"""
    WITH {_ME}
    INSERT INTO control.authenticator AS a (person_id, waiting, waiting_since, failures)
    SELECT me.person_id, p_sealed, now(), 0 FROM me WHERE {_PROVED}
    ON CONFLICT (person_id) DO UPDATE SET waiting = p_sealed, waiting_since = now()
    RETURNING true""",  # noqa: S608 - constants above
)
control_function(
    "confirm_authenticator",
    arguments=f"{_SESSION}, p_waiting bytea, p_step bigint, p_codes bytea[], p_fresh interval",
    returns="boolean",
    body=f"""
    WITH {_ME}, taken AS (
        UPDATE control.authenticator a SET sealed = a.waiting, waiting = NULL, waiting_since = NULL,
            confirmed_at = now(), last_step = p_step, failures = 0, locked_until = NULL
        FROM me WHERE a.person_id = me.person_id AND a.waiting = p_waiting
          AND a.waiting_since > now() - interval '1 hour' AND {_PROVED}
        RETURNING a.person_id),
    gone AS (DELETE FROM control.recovery_code r USING taken
             WHERE r.person_id = taken.person_id AND r.code_hash <> ALL (p_codes)),
    codes AS (INSERT INTO control.recovery_code (person_id, code_hash, made_at)
              SELECT taken.person_id, code, now() FROM taken, unnest(p_codes) code),
    proved AS (
        UPDATE control.session s SET stepped_up_at = now(), stepped_up_by = 'authenticator'
        FROM me, taken WHERE s.token_hash = me.token_hash RETURNING 1)
    SELECT EXISTS (SELECT FROM proved)""",  # noqa: S608 - constants above
)
control_function(
    "renew_recovery_codes",
    arguments=f"{_SESSION}, p_codes bytea[], p_fresh interval",
    returns="boolean",
    body=f"""
    WITH {_ME}, mine AS (
        SELECT me.person_id FROM me WHERE me.enrolled AND {_PROVED}),
    gone AS (DELETE FROM control.recovery_code r USING mine
             WHERE r.person_id = mine.person_id AND r.code_hash <> ALL (p_codes)),
    codes AS (INSERT INTO control.recovery_code (person_id, code_hash, made_at)
              SELECT mine.person_id, code, now() FROM mine, unnest(p_codes) code RETURNING 1)
    SELECT EXISTS (SELECT FROM codes)""",  # noqa: S608 - constants above
)
control_function(
    "remove_authenticator",
    arguments=f"{_SESSION}, p_fresh interval",
    returns="boolean",
    body=f"""
    WITH {_ME}, gone AS (
        DELETE FROM control.authenticator a USING me
        WHERE a.person_id = me.person_id AND {_PROVED} RETURNING a.person_id),
    codes AS (DELETE FROM control.recovery_code r USING gone WHERE r.person_id = gone.person_id)
    SELECT EXISTS (SELECT FROM gone)""",  # noqa: S608 - constants above
)
# The operator's way for somebody who has lost both the authenticator and the recovery codes.
control_function(
    "reset_authenticator",
    arguments="p_email text",
    returns="uuid",
    body="""
    WITH who AS (SELECT p.id FROM control.person p WHERE p.email = p_email),
    codes AS (DELETE FROM control.recovery_code r USING who WHERE r.person_id = who.id),
    ended AS (UPDATE control.session s SET ended_at = now() FROM who
              WHERE s.person_id = who.id AND s.ended_at IS NULL),
    gone AS (DELETE FROM control.authenticator a USING who WHERE a.person_id = who.id RETURNING a.person_id)
    SELECT person_id FROM gone""",
)
control_function(
    "read_account",
    arguments=_SESSION,
    returns="TABLE (confirmed_at timestamptz, waiting bytea, locked_until timestamptz, codes_left int)",
    body=f"""
    WITH {_ME}
    SELECT a.confirmed_at, CASE WHEN a.waiting_since > now() - interval '1 hour' THEN a.waiting END,
        CASE WHEN a.locked_until > now() THEN a.locked_until END,
        (SELECT count(*)::int FROM control.recovery_code r WHERE r.person_id = me.person_id AND r.used_at IS NULL)
    FROM me LEFT JOIN control.authenticator a ON a.person_id = me.person_id""",  # noqa: S608 - constants above
)
control_function(
    "list_sessions",
    arguments=f"{_SESSION}, p_idle interval",
    returns="TABLE (id uuid, agent text, made_at timestamptz, seen_at timestamptz, mine boolean)",
    body=f"""
    WITH {_ME}
    SELECT s.id, s.agent, s.made_at, s.seen_at, s.token_hash = me.token_hash
    FROM me JOIN control.session s ON s.person_id = me.person_id AND s.organisation_id = p_organisation
    WHERE s.ended_at IS NULL AND s.expires_at > now() AND s.seen_at > now() - p_idle AND s.id IS NOT NULL
    ORDER BY s.seen_at DESC, s.id LIMIT 100""",  # noqa: S608 - constants above
)
control_function(
    "end_one_session",
    arguments=f"{_SESSION}, p_id uuid",
    returns="boolean",
    body=f"""
    WITH {_ME}
    UPDATE control.session s SET ended_at = now() FROM me
    WHERE s.id = p_id AND s.person_id = me.person_id AND s.organisation_id = p_organisation AND s.ended_at IS NULL
    RETURNING true""",  # noqa: S608 - constants above
)
