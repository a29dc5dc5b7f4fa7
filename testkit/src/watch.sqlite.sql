-- Watchers of a test: what breaks an invariant for a moment only is written down.
CREATE TABLE IF NOT EXISTS test_violations (what TEXT NOT NULL);

CREATE TRIGGER IF NOT EXISTS test_fence AFTER UPDATE ON generations WHEN NEW.fence < OLD.fence BEGIN
    INSERT INTO test_violations VALUES ('I5: the fence of ' || NEW.id || ' fell from ' || OLD.fence || ' to ' || NEW.fence);
END;

CREATE TRIGGER IF NOT EXISTS test_terminal AFTER UPDATE ON generations
WHEN OLD.status IN ('completed', 'failed', 'cancelled') AND OLD.run = NEW.run
    AND (OLD.status <> NEW.status OR OLD.error IS NOT NEW.error OR OLD.fallback IS NOT NEW.fallback) BEGIN
    INSERT INTO test_violations VALUES ('I4: ' || NEW.id || ' was ' || OLD.status || ' and became ' || NEW.status);
END;

CREATE TRIGGER IF NOT EXISTS test_gone AFTER DELETE ON generations BEGIN
    INSERT INTO test_violations VALUES ('I1: ' || OLD.id || ' was removed');
END;

CREATE TRIGGER IF NOT EXISTS test_limit AFTER INSERT ON interests
WHEN NEW.user_id = 'few' AND 2 < (SELECT count(*) FROM interests WHERE user_id = 'few' AND tenant = NEW.tenant AND open = 1) BEGIN
    INSERT INTO test_violations VALUES ('I6: too many are in flight with ' || NEW.generation);
END;
