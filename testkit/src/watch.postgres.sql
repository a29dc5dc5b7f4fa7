-- Watchers of a test: what breaks an invariant for a moment only is written down.
CREATE TABLE IF NOT EXISTS test_violations (what TEXT NOT NULL);

CREATE OR REPLACE FUNCTION test_watch() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO test_violations VALUES ('I1: ' || OLD.id || ' was removed');
        RETURN NULL;
    END IF;
    IF NEW.fence < OLD.fence THEN
        INSERT INTO test_violations VALUES ('I5: the fence of ' || NEW.id || ' fell from ' || OLD.fence || ' to ' || NEW.fence);
    END IF;
    IF OLD.status IN ('completed', 'failed', 'cancelled') AND OLD.run = NEW.run
        AND (OLD.status <> NEW.status OR OLD.error IS DISTINCT FROM NEW.error
             OR OLD.fallback IS DISTINCT FROM NEW.fallback) THEN
        INSERT INTO test_violations VALUES ('I4: ' || NEW.id || ' was ' || OLD.status || ' and became ' || NEW.status);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION test_limit() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.user_id = 'few' AND 2 < (SELECT count(*) FROM interests
            WHERE user_id = 'few' AND tenant = NEW.tenant AND open = 1) THEN
        INSERT INTO test_violations VALUES ('I6: too many are in flight with ' || NEW.generation);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER test_watch AFTER UPDATE OR DELETE ON generations
    FOR EACH ROW EXECUTE FUNCTION test_watch();
CREATE OR REPLACE TRIGGER test_limit AFTER INSERT OR UPDATE ON interests
    FOR EACH ROW EXECUTE FUNCTION test_limit();
