-- For tests: what other modules see at resource-bind is a session without a resource.

local resource;

module:hook("resource-bind", function (event)
	resource, event.session.resource = event.session.resource, nil;
end, 1000);

module:hook("resource-bind", function (event)
	event.session.resource = resource;
end, -1000);
