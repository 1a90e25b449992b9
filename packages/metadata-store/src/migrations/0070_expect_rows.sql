-- The end of a statement that must change as many rows as the decision behind it names. Otherwise the transaction fails
-- as one that has to be repeated: what it read is no longer so.
CREATE FUNCTION expect_rows(changed bigint, expected integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF changed <> expected THEN
    RAISE EXCEPTION 'changed % of % rows that were decided upon', changed, expected USING ERRCODE = 'serialization_failure';
  END IF;
END $$;
