-- [P49] Says whether the user lists and settles the reports of the channel: whoever can moderate it does. Those of a channel of two people
-- belong to admins, who do not see such a channel and settle its reports as those of any channel.
CREATE OR REPLACE FUNCTION parley_judges_reports(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT parley_is_direct(ch) AND parley_can_moderate(us, ch)
$$;
